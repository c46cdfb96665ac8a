// What the browser remembers of us: a name, a colour, a brush, and whether we know how to draw. Without storage the page works the same and forgets.

const KEY = "scribble";
const FIRST = ["Quiet", "Bold", "Sunny", "Swift", "Gentle", "Curious", "Merry", "Brave", "Lucky", "Sleepy"];
const SECOND = ["Otter", "Fox", "Heron", "Badger", "Finch", "Lynx", "Hare", "Newt", "Moth", "Whale"];

const any = (list) => list[Math.floor(Math.random() * list.length)];

export function remembered() {
  let found = {};
  try {
    found = JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    // Nothing usable is remembered.
  }
  return {
    name: tidy(found.name) || `${any(FIRST)} ${any(SECOND)}`,
    colour: Number.isInteger(found.colour) && found.colour >= 0 ? found.colour : null,
    size: Number.isInteger(found.size) ? found.size : null,
    drew: found.drew === true,
  };
}

export function remember(settings) {
  try {
    localStorage.setItem(KEY, JSON.stringify(settings));
  } catch {
    // Storage is full or forbidden.
  }
}

/** A name of at most 24 letters, on one line. */
export function tidy(name) {
  if (typeof name !== "string") return "";
  return [...name.replace(/[\p{C}\s]+/gu, " ").trim()].slice(0, 24).join("");
}

// What people wrote, made harmless and pleasant: links, big emoji, tidy names. Text only ever becomes text nodes.

const LINK = /\b(?:https?:\/\/|www\.)[^\s<>"'`“”«»\p{C}]+/giu;
const TRAILING = /[.,;:!?…'*_~]+$/u;
const PAIRS = { ")": "(", "]": "[", "}": "{" };
const ONE = "(?:\\p{RI}{2}|\\p{Extended_Pictographic}(?:\\uFE0F|\\p{EMod})?(?:\\u200D\\p{Extended_Pictographic}(?:\\uFE0F|\\p{EMod})?)*)";
const FEW_EMOJI = new RegExp(`^\\s*(?:${ONE}\\s*){1,3}$`, "u");

const count = (text, letter) => text.split(letter).length - 1;

/** A link's text without the punctuation of the sentence around it. */
function trim(link) {
  for (;;) {
    const last = link.at(-1);
    if (TRAILING.test(link)) link = link.replace(TRAILING, "");
    else if (PAIRS[last] && count(link, last) > count(link, PAIRS[last])) link = link.slice(0, -1);
    else return link;
  }
}

/** The address that a piece of text leads to; null for what only looks like one, or hides where it leads. */
export function address(text) {
  let url;
  try {
    url = new URL(/^www\./i.test(text) ? `https://${text}` : text);
  } catch {
    return null;
  }
  const harmless = (url.protocol === "https:" || url.protocol === "http:") && !url.username && !url.password;
  return harmless && url.hostname.includes(".") ? url.href : null;
}

/** The text as nodes: text and links. */
export function* nodes(text) {
  let end = 0;
  for (const found of text.matchAll(LINK)) {
    const shown = trim(found[0]);
    const href = address(shown);
    if (!href) continue;
    if (found.index > end) yield document.createTextNode(text.slice(end, found.index));
    const link = document.createElement("a");
    link.href = href;
    link.target = "_blank";
    link.rel = "noopener noreferrer nofollow ugc";
    link.title = href;
    link.tabIndex = -1;
    link.textContent = shown;
    yield link;
    end = found.index + shown.length;
  }
  if (end < text.length) yield document.createTextNode(text.slice(end));
}

/** Whether a text is nothing but one to three emoji. */
export function fewEmoji(text) {
  return text.length < 60 && FEW_EMOJI.test(text);
}

/** A name on one line, without letters that can't be seen or that turn the others around. */
export function tidyName(name) {
  if (typeof name !== "string") return "";
  return cut(name.normalize("NFKC").replace(/[\p{C}\s]+/gu, " ").trim(), 24).trim();
}

/** A room's name as it stands in a link. */
export function tidyRoom(room) {
  if (typeof room !== "string") return "";
  const plain = room.normalize("NFKC").toLowerCase().replace(/^[#\s]+/, "").trim();
  return cut(plain.replace(/\s+/g, "-").replace(/[^\p{L}\p{N}\p{M}._-]/gu, ""), 40);
}

/** At most so many letters. */
export function cut(text, most) {
  const letters = [...text];
  return letters.length > most ? letters.slice(0, most).join("") : text;
}

/** A name's first letter, as people see letters. */
export function initial(name) {
  const [first] = new Intl.Segmenter().segment(name);
  return cut(first?.segment ?? "?", 8).toUpperCase();
}

/** A colour for somebody, always the same for the same name. */
export function hue(name) {
  let sum = 7;
  for (const letter of name.toLowerCase()) sum = (sum * 31 + letter.codePointAt(0)) % 9973;
  return Math.round((sum * 137.5) % 360);
}

// What the browser remembers: names, their tokens, rooms read, looks. Without storage the page works and forgets.

const KEY = "chat";
const MOST = 50;

let kept = {};

function read() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY));
    if (found && typeof found === "object") kept = found;
  } catch {
    // Nothing usable is remembered; what this page learned stays.
  }
  return kept;
}

/** Another window may have written since: what is kept is read before it is changed. */
function change(how) {
  const found = read();
  how(found);
  try {
    localStorage.setItem(KEY, JSON.stringify(found));
  } catch {
    // Storage is full or forbidden.
  }
}

/** A kept text, or "". */
export function get(name) {
  const value = read()[name];
  return typeof value === "string" ? value : "";
}

export function set(name, value) {
  change((all) => (all[name] = value));
}

function from(table, key) {
  const all = read()[table];
  return all && typeof all === "object" && Object.hasOwn(all, key) ? all[key] : undefined;
}

/** A window's own name comes before the browser's, so that two windows may be two people. */
export function ours(name) {
  try {
    return sessionStorage.getItem(`${KEY}.${name}`) ?? get(name);
  } catch {
    return get(name);
  }
}

export function setOurs(name, value) {
  set(name, value);
  try {
    sessionStorage.setItem(`${KEY}.${name}`, value);
  } catch {
    // Storage is forbidden.
  }
}

/** The newest of many are kept. */
function into(table, key, value) {
  change((all) => {
    const rest = Object.entries(all[table] ?? {}).filter(([other]) => other !== key);
    all[table] = Object.fromEntries([...rest, [key, value]].slice(-MOST));
  });
}

/** Who has the token is who has the name. It is only ever given to the server that made it. */
const person = (socket, name) => JSON.stringify([socket, name.toLowerCase()]);

export function token(socket, name) {
  const found = from("tokens", person(socket, name));
  return typeof found === "string" ? found : undefined;
}

export function keepToken(socket, name, value) {
  if (typeof value === "string") into("tokens", person(socket, name), value);
}

/** The number of the last message that was read in a room, or 0. */
export function lastRead(socket, room) {
  const found = from("read", JSON.stringify([socket, room]));
  return Number.isInteger(found) ? found : 0;
}

export function keepRead(socket, room, seq) {
  if (seq !== lastRead(socket, room)) into("read", JSON.stringify([socket, room]), seq);
}

/** Rooms that were read here, newest first. */
export function rooms(socket) {
  const prefix = JSON.stringify([socket]).slice(0, -1) + ",";
  const keys = Object.keys(read().read ?? {}).filter((key) => key.startsWith(prefix));
  return keys.map((key) => key.slice(prefix.length + 1, -2)).reverse();
}

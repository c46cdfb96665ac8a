// What the server says, checked: nothing of a frame is used before it has the form that the protocol gives it.

import { possibleSize, rgba } from "./board.js";

const whole = (n) => Number.isSafeInteger(n) && n >= 0;

const FORMS = {
  welcome: (f) =>
    typeof f.you === "string" && possibleSize(f.width, f.height) && isPalette(f.palette) && isRate(f.rate),
  points: (f) => Array.isArray(f.batches) && (f.cursors === undefined || Array.isArray(f.cursors)),
  picture: (f) =>
    whole(f.id) && whole(f.part) && whole(f.parts) && f.part < f.parts && f.parts <= 1024 && possibleSize(f.width, f.height) &&
    [1, 2, 4, 8].includes(f.bits) && typeof f.data === "string",
  ready: (f) => whole(f.id),
  cursors: (f) => Array.isArray(f.cursors),
  here: (f) => whole(f.here),
  pong: (f) => whole(f.ping),
  error: (f) => typeof f.message === "string",
  slow: (f) => typeof f.message === "string" && Number.isFinite(f.retryAfter),
  fault: (f) => typeof f.message === "string",
};

function isPalette(palette) {
  const colour = (text) => typeof text === "string" && /^#[0-9a-f]{6}$/i.test(text);
  return Array.isArray(palette) && palette.length >= 2 && palette.length <= 256 && palette.every(colour);
}

function isRate(rate) {
  const { points, seconds, least } = rate ?? {};
  return [points, seconds, least].every((n) => Number.isFinite(n) && n > 0) && points >= 1 && least <= points;
}

/** The frame in a message, or null with a note on the console. */
export function parse(text) {
  try {
    const frame = JSON.parse(text);
    // What the gateway says itself, when no function could.
    if (frame && frame.type === undefined && typeof frame.requestId === "string") frame.type = "fault";
    if (Object.hasOwn(FORMS, frame?.type) && FORMS[frame.type](frame)) return frame;
  } catch {
    // The note below says it.
  }
  console.debug("scribble: a frame that is not understood was left out", String(text).slice(0, 200));
  return null;
}

/** The batches of a `points` frame that are in order: {id, by, ref, points}. */
export function batches(frame) {
  return frame.batches.filter((batch) => {
    const good = whole(batch?.id) && Array.isArray(batch.points) && batch.points.length % 3 === 0 && batch.points.every(whole);
    if (!good) console.debug("scribble: a batch that is not understood was left out");
    return good;
  });
}

/** The cursors of a frame that are in order: {id, name, x, y}; x is null when that pointer has gone. */
export function cursors(frame) {
  const isPlace = ([, , x, y]) => x === null || (Number.isFinite(x) && Number.isFinite(y));
  return frame.cursors
    .filter((cursor) => Array.isArray(cursor) && typeof cursor[0] === "string" && isPlace(cursor))
    .map(([id, name, x, y]) => ({ id, name: typeof name === "string" ? name.slice(0, 40) : "", x, y }));
}

/** Puts the parts of pictures together. */
export class Pictures {
  #id = -1;
  #parts = [];

  /** The bitmap as {id, width, height, bits, bytes} with the last missing part, else null. */
  async add(frame) {
    if (frame.id !== this.#id || frame.parts !== this.#parts.length) {
      this.#id = frame.id;
      this.#parts = new Array(frame.parts).fill(null);
    }
    this.#parts[frame.part] = frame.data;
    if (this.#parts.includes(null)) return null;
    const parts = this.#parts;
    this.#id = -1;
    this.#parts = [];
    const { id, width, height, bits } = frame;
    try {
      return { id, width, height, bits, bytes: await inflate(parts, Math.ceil((width * height * bits) / 8)) };
    } catch (error) {
      console.debug("scribble: a picture that is not understood was left out", error);
      return null;
    }
  }
}

async function inflate(parts, size) {
  const packed = new Blob(parts.map((part) => Uint8Array.from(atob(part), (c) => c.charCodeAt(0))));
  const reader = packed.stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  const bytes = new Uint8Array(size);
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (length + value.length > size) {
      await reader.cancel();
      throw new Error("more bytes than the picture has");
    }
    bytes.set(value, length);
    length += value.length;
  }
  // The server's bitmap ends with its last coloured pixel; what follows is colour 0.
  return bytes;
}

/** A packed bitmap as words for the board. The first pixel is in the highest bits of the first byte. */
export function unpack({ width, height, bits, bytes }, palette) {
  const words = new Uint32Array(width * height);
  const mask = (1 << bits) - 1;
  const colours = Array.from({ length: mask + 1 }, (_, c) => rgba(palette[c] ?? palette[0]));
  for (let i = 0; i < words.length; i++) {
    const bit = i * bits;
    words[i] = colours[(bytes[bit >> 3] >> (8 - bits - (bit & 7))) & mask];
  }
  return words;
}

// The picture: what is known for certain, with the id of the change that made each pixel, and what is shown.
//
// An id is the time order of the server. A lower id never overwrites a higher one, so frames may come in any order and
// more than once. Pixels are 32-bit RGBA words, as ImageData has them: to show one is to store one number.

const TILE = 64;
const MOST_PIXELS = 1 << 24;
const MANY_TILES = 48;

/** `#rrggbb` as the word that ImageData has for it. */
export function rgba(hex) {
  const value = parseInt(hex.slice(1), 16);
  return ((255 << 24) | ((value & 0xff) << 16) | (value & 0xff00) | (value >>> 16)) >>> 0;
}

/** A word of ImageData as `#rrggbb`. */
export function hex(word) {
  const value = ((word & 0xff) << 16) | (word & 0xff00) | ((word >>> 16) & 0xff);
  return `#${value.toString(16).padStart(6, "0")}`;
}

export function possibleSize(width, height) {
  const fits = (n) => Number.isInteger(n) && n > 0 && n <= 8192;
  return fits(width) && fits(height) && width * height <= MOST_PIXELS;
}

export class Board {
  /** Says whether a stroke of ours that is not confirmed yet lies over the pixel. */
  covered = () => false;
  /** Called when something has to be drawn. */
  onchange = () => {};
  /** The highest id seen while nothing was missing, and the id up to which nothing is missing for certain. */
  newest = 0;
  complete = 0;

  constructor(width, height, blank) {
    this.canvas = document.createElement("canvas");
    this.blank = blank;
    this.#allocate(width, height);
  }

  #allocate(width, height) {
    this.width = this.canvas.width = width;
    this.height = this.canvas.height = height;
    this.context = this.canvas.getContext("2d", { alpha: false });
    this.image = this.context.createImageData(width, height);
    this.shown = new Uint32Array(this.image.data.buffer).fill(this.blank);
    this.confirmed = new Uint32Array(width * height).fill(this.blank);
    this.ids = new Float64Array(width * height);
    this.across = Math.ceil(width / TILE);
    this.dirty = new Set();
    this.#dirtyAll();
  }

  /** Take another size; what was drawn stays in its place. */
  resize(width, height) {
    if (width === this.width && height === this.height) return false;
    const { confirmed, ids, width: before, height: rows } = this;
    this.#allocate(width, height);
    for (let y = 0; y < Math.min(rows, height); y++) {
      const end = y * before + Math.min(before, width);
      this.confirmed.set(confirmed.subarray(y * before, end), y * width);
      this.ids.set(ids.subarray(y * before, end), y * width);
    }
    this.shown.set(this.confirmed);
    return true;
  }

  /** Take nothing of what is known for certain; whether there was anything. */
  forget() {
    if (!this.newest) return false;
    this.ids.fill(0);
    this.newest = this.complete = 0;
    return true;
  }

  has(x, y) {
    return x >= 0 && y >= 0 && x < this.width && y < this.height;
  }

  at(x, y) {
    return this.shown[y * this.width + x];
  }

  /** A whole picture, complete up to `id`, as words. */
  apply(words, id) {
    const { ids, confirmed } = this;
    for (let i = 0; i < ids.length; i++) {
      if (ids[i] > id) continue;
      ids[i] = id;
      if (confirmed[i] === words[i]) continue;
      confirmed[i] = words[i];
      if (!this.covered(i)) this.show(i, words[i]);
    }
    this.newest = Math.max(this.newest, id);
    this.complete = Math.max(this.complete, id);
  }

  /** One pixel as the server has it. */
  set(x, y, word, id) {
    const i = y * this.width + x;
    if (id < this.ids[i]) return;
    this.ids[i] = id;
    this.confirmed[i] = word;
    if (!this.covered(i)) this.show(i, word);
  }

  /** Show a colour that the server has not confirmed. */
  show(i, word) {
    if (this.shown[i] === word) return;
    this.shown[i] = word;
    const x = i % this.width;
    const y = (i - x) / this.width;
    if (!this.dirty.size) this.onchange();
    this.dirty.add(((y / TILE) | 0) * this.across + ((x / TILE) | 0));
  }

  /** Show what the server has, as nothing of ours lies over it any more. */
  reveal(i) {
    this.show(i, this.confirmed[i]);
  }

  #dirtyAll() {
    const count = this.across * Math.ceil(this.height / TILE);
    for (let tile = 0; tile < count; tile++) this.dirty.add(tile);
    this.onchange();
  }

  /** Bring what changed to the canvas; the rectangles [x, y, width, height] that changed. */
  flush() {
    const rectangles = [];
    if (this.dirty.size > MANY_TILES) {
      rectangles.push([0, 0, this.width, this.height]);
    } else {
      for (const tile of this.dirty) {
        rectangles.push([(tile % this.across) * TILE, Math.floor(tile / this.across) * TILE, TILE, TILE]);
      }
    }
    this.dirty.clear();
    for (const [x, y, width, height] of rectangles) this.context.putImageData(this.image, 0, 0, x, y, width, height);
    return rectangles;
  }
}

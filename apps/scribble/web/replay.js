// How the picture came to be: the pictures that the server kept, one after another, in place of the board.

import { calm } from "./view.js";

const A_FRAME = 140;
const A_CALM_FRAME = 700;
const KEPT = 40;

/** The frames of `history/index.json`: [{at, url}], oldest first; what is not understood is left out. */
function framesOf(index) {
  const list = Array.isArray(index?.pictures) ? index.pictures : [];
  return list
    .filter((entry) => Number.isFinite(entry?.at) && /^history\/\d+\.png$/.test(entry.url))
    .map(({ at, url }) => ({ at, url }))
    .sort((a, b) => a.at - b.at);
}

export class Replay {
  onchange = () => {};
  frames = [];
  index = 0;
  playing = false;

  #view;
  #pictures = new Map(); // url -> promise of an ImageBitmap
  #timer = null;
  #wanted = 0;

  constructor(view) {
    this.#view = view;
  }

  get open() {
    return this.frames.length > 0;
  }

  /** Fetch the list and begin; false when there is nothing to show yet. */
  async begin() {
    const answer = await fetch("history/index.json", { cache: "no-cache" });
    if (!answer.ok) return false;
    this.frames = framesOf(await answer.json());
    if (!this.frames.length) return false;
    this.index = 0;
    this.play();
    return true;
  }

  end() {
    this.pause();
    this.frames = [];
    this.#pictures.clear();
    this.#wanted++;
    this.#view.instead = null;
    this.#view.redraw();
    this.onchange();
  }

  play() {
    if (this.index >= this.frames.length - 1) this.index = 0;
    this.playing = true;
    this.#step();
  }

  pause() {
    this.playing = false;
    clearTimeout(this.#timer);
    this.onchange();
  }

  /** Show one frame. */
  async show(index) {
    this.index = index;
    this.onchange();
    const wanted = ++this.#wanted;
    const picture = await this.#picture(index);
    if (wanted !== this.#wanted || !this.open) return;
    if (picture) {
      this.#view.instead = picture;
      this.#view.redraw();
    }
    for (let ahead = 1; ahead <= 4; ahead++) this.#picture(index + ahead);
  }

  async #step() {
    const began = performance.now();
    await this.show(this.index);
    if (!this.playing) return;
    const wait = (calm.matches ? A_CALM_FRAME : A_FRAME) - (performance.now() - began);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.index >= this.frames.length - 1) {
        this.pause();
        return;
      }
      this.index++;
      this.#step();
    }, Math.max(0, wait));
  }

  #picture(index) {
    const url = this.frames[index]?.url;
    if (!url) return null;
    let picture = this.#pictures.get(url);
    if (!picture) {
      picture = fetch(url)
        .then((answer) => (answer.ok ? answer.blob() : Promise.reject(new Error(`${answer.status}`))))
        .then((blob) => createImageBitmap(blob))
        .catch((error) => {
          console.debug("scribble: a picture of the replay is missing", url, error);
          return null;
        });
      this.#pictures.set(url, picture);
      if (this.#pictures.size > KEPT) this.#pictures.delete(this.#pictures.keys().next().value);
    }
    return picture;
  }
}

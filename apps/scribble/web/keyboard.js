// Everything by keyboard: a cell cursor on the picture, painting, colours, tools, zoom.

import { KEYS } from "./palette.js";

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const FAR = 10;

export class Keyboard {
  /** The cell that the keyboard is at, or null while the pointer leads. */
  cell = null;
  enabled = true;
  oncell = () => {};

  #canvas;
  #board;
  #view;
  #tools;
  #commands;
  #start;
  #painting = null;

  /** `commands`: what single keys do, {key: function}; `choose(index)` takes a colour; `start()`: the first cell. */
  constructor({ canvas, board, view, tools, commands, choose, start }) {
    this.#start = start;
    this.#canvas = canvas;
    this.#board = board;
    this.#view = view;
    this.#tools = tools;
    this.#commands = { ...commands };
    [...KEYS].forEach((key, index) => (this.#commands[key] = () => choose(index)));
    document.addEventListener("keydown", (event) => this.#down(event));
    document.addEventListener("keyup", (event) => this.#up(event));
    addEventListener("blur", () => this.#release());
    canvas.addEventListener("focus", () => canvas.matches(":focus-visible") && this.#lead());
    canvas.addEventListener("blur", () => this.leave());
    canvas.addEventListener("pointerdown", () => this.leave());
  }

  /** The pointer leads again. */
  leave() {
    this.#painting = null;
    if (!this.cell) return;
    this.cell = null;
    this.oncell(null);
  }

  #lead() {
    if (this.cell) return;
    this.#go(...this.#start());
  }

  #go(x, y) {
    this.cell = [Math.min(this.#board.width - 1, Math.max(0, x)), Math.min(this.#board.height - 1, Math.max(0, y))];
    this.#view.reveal(...this.cell);
    this.oncell(this.cell);
  }

  #down(event) {
    const focus = document.activeElement;
    if (event.defaultPrevented || focus?.closest("dialog, [popover], input:not([type=radio], [type=range])")) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (event.ctrlKey || event.metaKey) {
      if (key === "z" && !event.shiftKey) this.#run(event, this.#commands.u);
      return;
    }
    if (event.altKey) return;
    if (focus === this.#canvas && this.#onCanvas(event, key)) {
      event.preventDefault();
      return;
    }
    const inRadios = focus?.type === "radio" && (key === " " || key in ARROWS);
    if (key === " " && (focus === document.body || focus === null)) {
      this.#pan(true);
      event.preventDefault();
    } else if (this.enabled && !inRadios && Object.hasOwn(this.#commands, key)) {
      this.#run(event, this.#commands[key]);
    }
  }

  #run(event, command) {
    event.preventDefault();
    command();
  }

  /** Whether the key was one for the picture itself. */
  #onCanvas(event, key) {
    if (key in ARROWS) {
      this.#lead();
      const [x, y] = this.cell;
      const step = event.shiftKey ? FAR : 1;
      this.#go(x + ARROWS[key][0] * step, y + ARROWS[key][1] * step);
      if (this.#painting) this.#paint();
      return true;
    }
    if (key === " " && !this.cell) {
      this.#pan(true);
      return true;
    }
    if (key === " " || key === "Enter") {
      this.#lead();
      if (!event.repeat) {
        this.#painting = null;
        this.#paint();
      }
      return true;
    }
    return false;
  }

  #paint() {
    if (this.#view.instead) return;
    const from = this.#painting;
    this.#painting = this.cell;
    if (this.#tools.tool === "pick") this.#tools.onpick(this.#board.at(...this.cell));
    else this.#tools.stamp(...this.cell, from);
    this.oncell(this.cell);
  }

  #up(event) {
    if (event.key === " " || event.key === "Enter") this.#release();
  }

  #release() {
    this.#painting = null;
    this.#pan(false);
  }

  #pan(on) {
    this.#tools.space = on;
    this.#canvas.classList.toggle("pans", on);
  }
}

// Pointers on the picture: draw, erase, pick a colour, pan and pinch; mouse, pen and touch.

export const SIZES = [1, 3, 5, 9, 15];

const PATIENCE = 100;
const SLOP = 8;
const A_MOMENT = 400;
const MOST_UNDO = 50;

/** The pixels of a round brush, around (0, 0). */
export function brush(size) {
  const middle = (size - 1) / 2;
  const reach = (size / 2) ** 2 + (size > 3 ? 0.5 : 0.3);
  const pixels = [];
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      if ((x - middle) ** 2 + (y - middle) ** 2 <= reach) pixels.push([x - Math.floor(middle), y - Math.floor(middle)]);
    }
  }
  return pixels;
}

/** Each pixel of the line, in Bresenham's way. */
export function line(x0, y0, x1, y1, each) {
  const dx = Math.abs(x1 - x0);
  const dy = -Math.abs(y1 - y0);
  const sx = x0 < x1 ? 1 : -1;
  const sy = y0 < y1 ? 1 : -1;
  let error = dx + dy;
  for (;;) {
    each(x0, y0);
    if (x0 === x1 && y0 === y1) return;
    const twice = 2 * error;
    if (twice >= dy) {
      error += dy;
      x0 += sx;
    }
    if (twice <= dx) {
      error += dx;
      y0 += sy;
    }
  }
}

export class Tools {
  tool = "draw";
  colour = 1;
  size = 3;
  /** While the space bar is down, a drag pans. */
  space = false;
  onpoint = () => {};
  onpick = () => {};
  onstroke = () => {};

  #view;
  #board;
  #outbox;
  #pointers = new Map();
  #stroke = null;
  #end = null; // where the last stroke ended
  #pinch = null;
  #undo = [];
  #wheel = { notched: true, at: -Infinity };
  #pixels = brush(3);

  constructor({ canvas, view, board, outbox }) {
    this.#view = view;
    this.#board = board;
    this.#outbox = outbox;
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => this.#up(event));
    canvas.addEventListener("pointerleave", (event) => this.#pointers.has(event.pointerId) || this.onpoint(null));
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("wheel", (event) => this.#turn(event), { passive: false });
  }

  resize(size) {
    this.size = size;
    this.#pixels = brush(size);
  }

  get canUndo() {
    return this.#undo.length > 0;
  }

  get busy() {
    return this.#stroke !== null;
  }

  /** One stamp of the brush, as the keyboard makes it. */
  stamp(x, y, from = null) {
    this.#begin(x, y);
    if (from) this.#to(from[0], from[1], true);
    this.#to(x, y);
    this.#finish();
  }

  /** Take back the last stroke where nobody has drawn over it since. */
  undo() {
    const stroke = this.#undo.pop();
    if (!stroke) return false;
    const colours = new Map(Array.from(this.#outbox.colours, (word, index) => [word, index]));
    for (const [i, before] of stroke.before) {
      const colour = colours.get(before);
      if (colour !== undefined && this.#board.shown[i] === stroke.word) this.#outbox.paint(i, colour);
    }
    this.onstroke();
    return true;
  }

  #begin(x, y, erase = this.tool === "erase") {
    const colour = erase ? 0 : this.colour;
    this.#stroke = { colour, word: this.#outbox.colours[colour], before: new Map(), x, y, began: performance.now(), moved: false };
  }

  /** Draw on to (x, y). */
  #to(x, y, jump = false) {
    const stroke = this.#stroke;
    const { width, shown } = this.#board;
    if (jump) [stroke.x, stroke.y] = [x, y];
    stroke.moved ||= stroke.x !== x || stroke.y !== y;
    line(stroke.x, stroke.y, x, y, (cx, cy) => {
      for (const [dx, dy] of this.#pixels) {
        if (!this.#board.has(cx + dx, cy + dy)) continue;
        const i = (cy + dy) * width + cx + dx;
        if (stroke.before.has(i)) continue;
        stroke.before.set(i, shown[i]);
        this.#outbox.paint(i, stroke.colour);
      }
    });
    stroke.x = x;
    stroke.y = y;
  }

  #finish() {
    if (this.#stroke.before.size) {
      this.#undo.push(this.#stroke);
      if (this.#undo.length > MOST_UNDO) this.#undo.shift();
    }
    this.#end = [this.#stroke.x, this.#stroke.y];
    this.#stroke = null;
    this.onstroke();
  }

  #cell(event) {
    return this.#view.toBoard(event.clientX, event.clientY).map(Math.floor);
  }

  #down(event) {
    event.currentTarget.setPointerCapture(event.pointerId);
    const penAtWork = [...this.#pointers.values()].some(({ kind }) => kind === "pen");
    if (penAtWork && event.pointerType === "touch") return;
    const pans = this.tool === "pan" || this.space || event.button === 1 || event.button === 2;
    const picks = this.tool === "pick" || event.altKey;
    const mode = this.#view.instead || pans ? "pan" : picks ? "pick" : "draw";
    const { clientX: x, clientY: y } = event;
    const pointer = { kind: event.pointerType, mode, x, y, from: [x, y], held: null, timer: null };
    this.#pointers.set(event.pointerId, pointer);
    const touches = [...this.#pointers.values()].filter(({ kind }) => kind === "touch");
    if (touches.length === 2) {
      this.#startPinch(touches);
    } else if (touches.length < 2) {
      if (mode === "draw") this.#startStroke(pointer, event);
      if (mode === "pick") this.#pick(event);
    }
    this.onpoint(event);
  }

  #startStroke(pointer, event) {
    if (this.#stroke) return;
    const isEraserOfPen = event.pointerType === "pen" && event.button === 5;
    this.#begin(...this.#cell(event), isEraserOfPen || undefined);
    if (event.shiftKey && this.#end) this.#to(...this.#end, true);
    // A finger may be the first of two: what it draws waits a moment.
    if (pointer.kind === "touch") {
      pointer.held = [this.#cell(event)];
      pointer.timer = setTimeout(() => this.#release(pointer), PATIENCE);
    } else {
      this.#to(...this.#cell(event));
    }
  }

  #release(pointer) {
    clearTimeout(pointer.timer);
    const { held } = pointer;
    pointer.held = null;
    if (held && this.#stroke) for (const cell of held) this.#to(...cell);
  }

  #startPinch(touches) {
    for (const pointer of touches) {
      if (pointer.mode === "draw" && this.#stroke) {
        if (pointer.held) {
          clearTimeout(pointer.timer);
          pointer.held = null;
          this.#stroke = null;
        } else {
          // Whoever pinches slowly hasn't meant to draw a dot.
          const meant = this.#stroke.moved || performance.now() - this.#stroke.began > A_MOMENT;
          this.#finish();
          if (!meant) this.undo();
        }
      }
      pointer.mode = "pinch";
    }
    this.#pinch = touches;
  }

  #move(event) {
    const pointer = this.#pointers.get(event.pointerId);
    this.onpoint(event);
    if (!pointer) return;
    const { clientX: x, clientY: y } = event;
    if (pointer.mode === "draw" && this.#stroke) this.#draw(pointer, event);
    else if (pointer.mode === "pan") this.#view.panBy(x - pointer.x, y - pointer.y);
    else if (pointer.mode === "pick") this.#pick(event);
    else if (pointer.mode === "pinch" && this.#pinch) this.#pinchTo(pointer, x, y);
    pointer.x = x;
    pointer.y = y;
  }

  #draw(pointer, event) {
    const samples = event.getCoalescedEvents?.() ?? [];
    for (const sample of samples.length ? samples : [event]) {
      const cell = this.#cell(sample);
      if (pointer.held) {
        pointer.held.push(cell);
        if (Math.hypot(sample.clientX - pointer.from[0], sample.clientY - pointer.from[1]) > SLOP) this.#release(pointer);
      } else if (cell[0] !== this.#stroke.x || cell[1] !== this.#stroke.y) {
        this.#to(...cell);
      }
    }
  }

  #pinchTo(pointer, x, y) {
    const [other] = this.#pinch.filter((touch) => touch !== pointer);
    const before = Math.hypot(pointer.x - other.x, pointer.y - other.y);
    const after = Math.hypot(x - other.x, y - other.y);
    this.#view.panBy((x - pointer.x) / 2, (y - pointer.y) / 2);
    if (before > 1 && after > 1) this.#view.zoomAt((x + other.x) / 2, (y + other.y) / 2, after / before);
  }

  #up(event) {
    const pointer = this.#pointers.get(event.pointerId);
    if (!pointer) return;
    this.#pointers.delete(event.pointerId);
    if (pointer.mode === "draw" && this.#stroke) {
      this.#release(pointer);
      this.#finish();
    }
    if (this.#pinch?.includes(pointer)) {
      for (const left of this.#pinch) left.mode = "idle";
      this.#pinch = null;
    }
    if (event.pointerType === "touch") this.onpoint(null);
  }

  #pick(event) {
    const [x, y] = this.#cell(event);
    if (this.#board.has(x, y)) this.onpick(this.#board.at(x, y));
  }

  /** A mouse's wheel zooms, as does a pinch on a touchpad; two fingers on a touchpad pan. */
  #turn(event) {
    event.preventDefault();
    const unit = event.deltaMode === 1 ? 32 : event.deltaMode === 2 ? 400 : 1;
    const looksNotched = event.deltaMode !== 0 || (event.deltaX === 0 && event.wheelDeltaY % 120 === 0);
    // What began as a touchpad's gesture stays one.
    const notched = event.timeStamp - this.#wheel.at < A_MOMENT ? this.#wheel.notched : looksNotched;
    this.#wheel = { notched, at: event.timeStamp };
    if (event.ctrlKey && !notched) {
      this.#view.zoomAt(event.clientX, event.clientY, 2 ** (-event.deltaY / 60));
    } else if (event.shiftKey) {
      this.#view.panBy(-(event.deltaY + event.deltaX) * unit, 0);
    } else if (notched) {
      const steps = Math.max(-3, Math.min(3, (event.deltaY * unit) / 120));
      this.#view.zoomAt(event.clientX, event.clientY, 2 ** (-steps / 2));
    } else {
      this.#view.panBy(-event.deltaX, -event.deltaY);
    }
  }
}

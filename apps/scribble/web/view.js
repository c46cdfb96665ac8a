// Where one looks: the place and zoom of the picture in the window, and drawing it there, only what has changed.

const MOST_ZOOM = 48;
const GRID_FROM = 8;
const MOST_RATIO = 2;
const SMOOTHING = 3;

export const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class View {
  /** Called when the place or zoom changed. */
  onmove = () => {};
  /** Called before each drawn frame, to bring what follows the view to its place. */
  onframe = () => {};
  /** The middle of the window in pixels of the picture, and how many CSS pixels one of them takes. */
  x = 0;
  y = 0;
  zoom = 1;
  grid = true;
  /** What panels take of the window's edges. */
  insets = { top: 0, right: 0, bottom: 0, left: 0 };
  /** A picture to show instead of the board. */
  instead = null;

  #whole = true;
  #asked = false;
  #drawn = false;
  #moving = 0;
  #aim = null; // where a movement that is under way leads
  #fitted = true;

  constructor(canvas, board) {
    this.canvas = canvas;
    this.board = board;
    this.context = canvas.getContext("2d", { alpha: false });
    board.onchange = () => this.ask();
    new ResizeObserver(() => this.resize()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#theme());
    this.#theme();
    this.resize();
  }

  #theme() {
    const style = getComputedStyle(this.canvas);
    this.desk = style.getPropertyValue("--desk");
    this.edge = style.getPropertyValue("--edge");
    this.redraw();
  }

  /** Whether the whole picture is in the window because nobody has moved it. */
  get fitted() {
    return this.#fitted;
  }

  resize() {
    const { clientWidth, clientHeight } = this.canvas;
    this.width = clientWidth;
    this.height = clientHeight;
    this.ratio = Math.min(devicePixelRatio || 1, MOST_RATIO);
    const [width, height] = [Math.round(clientWidth * this.ratio), Math.round(clientHeight * this.ratio)];
    const cleared = width !== this.canvas.width || height !== this.canvas.height;
    if (cleared) Object.assign(this.canvas, { width, height });
    if (this.#fitted) this.fit({ smooth: false });
    else this.redraw();
    if (cleared && this.#drawn) this.#draw(null);
  }

  /** The point of the window that the view's place is at. */
  get middle() {
    const { top, right, bottom, left } = this.insets;
    return [(left + this.width - right) / 2, (top + this.height - bottom) / 2];
  }

  /** Window to picture, with fractions. */
  toBoard(px, py) {
    const [cx, cy] = this.middle;
    return [this.x + (px - cx) / this.zoom, this.y + (py - cy) / this.zoom];
  }

  /** Picture to window. */
  toWindow(x, y) {
    const [cx, cy] = this.middle;
    return [cx + (x - this.x) * this.zoom, cy + (y - this.y) * this.zoom];
  }

  get fitting() {
    const { top, right, bottom, left } = this.insets;
    const wide = (this.width - left - right - 16) / this.board.width;
    const high = (this.height - top - bottom - 16) / this.board.height;
    return Math.max(0.02, Math.min(wide, high));
  }

  fit({ smooth = true } = {}) {
    this.moveTo(this.board.width / 2, this.board.height / 2, this.fitting, { smooth, fitted: true });
  }

  panBy(px, py) {
    this.#place(this.x - px / this.zoom, this.y - py / this.zoom, this.zoom);
  }

  /** Zoom so that the picture's point under (px, py) stays there. */
  zoomAt(px, py, factor) {
    const [x, y] = this.toBoard(px, py);
    const zoom = this.#limited(this.zoom * factor);
    const [cx, cy] = this.middle;
    this.#place(x - (px - cx) / zoom, y - (py - cy) / zoom, zoom);
  }

  /** Zoom by a button or key: around the middle, to round numbers when enlarged. */
  zoomBy(factor) {
    const { x, y, zoom } = this.#aim?.move === this.#moving ? this.#aim : this;
    const aim = zoom * factor;
    this.moveTo(x, y, aim > 1.5 ? Math.round(aim) : aim);
  }

  moveTo(x, y, zoom, { smooth = true, fitted = false } = {}) {
    const from = { x: this.x, y: this.y, zoom: this.zoom };
    const to = this.#limited(zoom);
    const move = ++this.#moving;
    if (!smooth || calm.matches) {
      this.#place(x, y, to, { move, fitted });
      return;
    }
    this.#aim = { move, x, y, zoom: to };
    const began = performance.now();
    const step = (now) => {
      if (move !== this.#moving) return;
      const part = Math.min(1, Math.max(0, (now - began) / 180));
      const eased = 1 - (1 - part) ** 3;
      const between = (a, b) => a + (b - a) * eased;
      const scale = part === 1 ? to : from.zoom * (to / from.zoom) ** eased;
      this.#place(between(from.x, x), between(from.y, y), scale, { move, fitted });
      if (part < 1) requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  /** Bring a pixel into the window, with some room around it. */
  reveal(x, y) {
    const [px, py] = this.toWindow(x + 0.5, y + 0.5);
    const { top, right, bottom, left } = this.insets;
    const room = Math.max(24, this.zoom * 1.5);
    const beyond = (at, from, to) => Math.min(0, at - from) || Math.max(0, at - to);
    const dx = beyond(px, left + room, this.width - right - room);
    const dy = beyond(py, top + room, this.height - bottom - room);
    if (dx || dy) this.panBy(-dx, -dy);
  }

  #limited(zoom) {
    return Math.min(MOST_ZOOM, Math.max(Math.min(this.fitting / 2, 0.5), zoom));
  }

  #place(x, y, zoom, { move = ++this.#moving, fitted = false } = {}) {
    this.#moving = move;
    this.#fitted = fitted;
    this.x = Math.min(this.board.width, Math.max(0, x));
    this.y = Math.min(this.board.height, Math.max(0, y));
    this.zoom = zoom;
    this.redraw();
    this.onmove();
  }

  /** All of the window is drawn again in the next frame. */
  redraw() {
    this.#whole = true;
    this.ask();
  }

  ask() {
    if (this.#asked) return;
    this.#asked = true;
    requestAnimationFrame(() => this.#frame());
  }

  #frame() {
    this.#asked = false;
    const changed = this.board.flush();
    this.onframe();
    if (this.#whole) this.#draw(null);
    else if (changed.length && !this.instead) this.#draw(changed);
    this.#whole = false;
    this.#drawn = true;
  }

  #draw(rectangles) {
    const { context, board, ratio } = this;
    const scale = this.zoom * ratio;
    const [left, top] = this.toWindow(0, 0).map((at) => Math.round(at * ratio));
    context.save();
    if (rectangles) {
      context.beginPath();
      for (const [x, y, width, height] of rectangles) {
        const x0 = Math.floor(left + x * scale) - SMOOTHING;
        const y0 = Math.floor(top + y * scale) - SMOOTHING;
        const x1 = Math.ceil(left + Math.min(board.width, x + width) * scale) + SMOOTHING;
        const y1 = Math.ceil(top + Math.min(board.height, y + height) * scale) + SMOOTHING;
        context.rect(x0, y0, x1 - x0, y1 - y0);
      }
      context.clip();
    }
    context.fillStyle = this.desk;
    context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    const right = board.width * scale;
    const bottom = board.height * scale;
    context.fillStyle = this.edge;
    context.fillRect(left - ratio, top - ratio, right + 2 * ratio, bottom + 2 * ratio);
    context.imageSmoothingEnabled = scale < 1;
    context.imageSmoothingQuality = "medium";
    context.drawImage(this.instead ?? board.canvas, left, top, right, bottom);
    if (this.grid && this.zoom >= GRID_FROM) this.#lines(left, top, scale);
    context.restore();
  }

  #lines(left, top, scale) {
    const { context, board, canvas } = this;
    const first = (at) => Math.max(0, Math.floor(-at / scale));
    const last = (at, room, most) => Math.min(most, Math.ceil((room - at) / scale));
    const x1 = last(left, canvas.width, board.width);
    const y1 = last(top, canvas.height, board.height);
    context.fillStyle = "rgb(120 130 150 / 28%)";
    for (let x = first(left); x <= x1; x++) {
      context.fillRect(Math.round(left + x * scale), Math.max(0, top), 1, Math.min(canvas.height, board.height * scale));
    }
    for (let y = first(top); y <= y1; y++) {
      context.fillRect(Math.max(0, left), Math.round(top + y * scale), Math.min(canvas.width, board.width * scale), 1);
    }
  }
}

/** `#x,y,zoom` as {x, y, zoom}, or null. */
export function placeOf(hash) {
  const found = /^#(-?\d+(?:\.\d+)?),(-?\d+(?:\.\d+)?)(?:,(\d+(?:\.\d+)?))?$/.exec(hash);
  return found && { x: Number(found[1]), y: Number(found[2]), zoom: Number(found[3] ?? 8) };
}

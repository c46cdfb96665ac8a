// Who else is here: their number, their cursors over the picture, and where to find them.

const GONE_AFTER = 6000;
const MOST_CURSORS = 60;
const BETWEEN_CURSORS = 250;

/** A colour for somebody, always the same for the same id. */
function hue(id) {
  let sum = 7;
  for (const letter of id) sum = (sum * 31 + letter.codePointAt(0)) % 9973;
  return (sum * 137.5) % 360;
}

export class Presence {
  onchange = () => {};
  here = 0;

  #layer;
  #view;
  #others = new Map(); // id -> {name, x, y, at, mark}
  #timer = null;
  #sent = 0;
  #mine = null;
  #later = null;

  constructor(layer, view) {
    this.#layer = layer;
    this.#view = view;
  }

  /** Others whose place is known: id -> {name, x, y}. */
  get others() {
    return this.#others;
  }

  count(here) {
    if (here === this.here) return;
    this.here = here;
    this.onchange();
  }

  /** Somebody's cursor is, or draws, at a pixel. */
  seen({ id, name, x, y }) {
    let other = this.#others.get(id);
    if (!other) {
      if (this.#others.size >= MOST_CURSORS) return;
      other = { mark: this.#mark(id) };
      this.#others.set(id, other);
    }
    const called = name || "Somebody";
    const news = other.name !== called;
    Object.assign(other, { name: called, x, y, at: performance.now() });
    if (news) {
      other.mark.lastChild.textContent = called;
      this.onchange();
    }
    this.#put(other);
    this.#timer ??= setTimeout(() => this.#sweep(), GONE_AFTER);
  }

  /** Somebody known has drawn here. */
  drew(id, x, y) {
    const other = this.#others.get(id);
    if (other) this.seen({ id, name: other.name, x, y });
  }

  gone(id) {
    this.#others.get(id)?.mark.remove();
    if (this.#others.delete(id)) this.onchange();
  }

  clear() {
    for (const { mark } of this.#others.values()) mark.remove();
    this.#others.clear();
    this.here = 0;
    this.onchange();
  }

  /** Bring the cursors to where the view has their pixels, without gliding there. */
  place() {
    this.#layer.classList.add("still");
    for (const other of this.#others.values()) this.#put(other);
    this.#layer.getBoundingClientRect();
    this.#layer.classList.remove("still");
  }

  /** Tell where my pointer is, a few times a second at most; `send([x, y])`. */
  tell(x, y, send) {
    if (this.#mine && this.#mine[0] === x && this.#mine[1] === y) return;
    this.#mine = [x, y];
    if (this.#later !== null) return;
    const wait = Math.max(0, this.#sent + BETWEEN_CURSORS - performance.now());
    this.#later = setTimeout(() => {
      this.#later = null;
      this.#sent = performance.now();
      send(this.#mine);
    }, wait);
  }

  #mark(id) {
    const mark = document.getElementById("cursor").content.firstElementChild.cloneNode(true);
    mark.style.setProperty("--hue", String(hue(id)));
    this.#layer.append(mark);
    return mark;
  }

  #put({ mark, x, y }) {
    const [px, py] = this.#view.toWindow(x + 0.5, y + 0.5);
    mark.style.transform = `translate(${px.toFixed(1)}px, ${py.toFixed(1)}px)`;
  }

  #sweep() {
    const old = performance.now() - GONE_AFTER;
    for (const [id, { at, mark }] of this.#others) {
      if (at > old) continue;
      mark.remove();
      this.#others.delete(id);
      this.onchange();
    }
    this.#timer = this.#others.size ? setTimeout(() => this.#sweep(), GONE_AFTER / 4) : null;
  }
}

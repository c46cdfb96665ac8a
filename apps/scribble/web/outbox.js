// What we have drawn and the server has not confirmed: it is shown at once, sent in small messages within the rate
// limit, kept until it is confirmed, sent again after a lost connection, and taken back when the server refuses it.
//
// A pixel is in at most one message under way, as the server may take messages in another order than they were sent in.

const MOST_POINTS = 256;
const BETWEEN_MESSAGES = 60;
const MOST_UNDER_WAY = 24;
const UNANSWERED = 15_000;
const DOUBTED = 3000;
const LATE = 2500;
/** So much of the rate limit is used: messages may arrive closer together than they were sent. */
const CAUTION = { full: 0.9, speed: 0.97 };

export class Outbox {
  /** Called when what waits, or the ink that is left, changed. */
  onchange = () => {};
  /** Called when a message has had no answer for long. */
  onsilence = () => {};
  /** Whether the board is known to be up to date, so that painting a pixel in its own colour means nothing. */
  trusted = false;

  #board;
  #send;
  #queue = new Map(); // pixel -> colour, not sent
  #under = new Map(); // ref -> {points: Map pixel -> colour, at}
  #pixels = new Map(); // pixel -> ref of the message under way that has it
  #rate = { points: 1000, seconds: 1, least: 25 };
  #tokens = { left: 900, at: 0 };
  #ref = 0;
  #open = false;
  #held = 0;
  #last = 0;
  #timer = null;
  #due = 0;
  #stirred = false;

  constructor(board, send) {
    this.#board = board;
    this.#send = send;
    board.covered = (i) => this.#queue.has(i) || this.#pixels.has(i);
  }

  /** Words of the colours. */
  colours = new Uint32Array(16);

  /** Points drawn here that the server has not confirmed. */
  get waiting() {
    return this.#queue.size + this.#pixels.size;
  }

  /** Points that are not even sent. */
  get unsent() {
    return this.#queue.size;
  }

  /** Whether the server takes long to confirm what it was sent. */
  get late() {
    const [oldest] = this.#under.values();
    return oldest !== undefined && performance.now() - oldest.at > LATE;
  }

  /** The share of the rate limit that is left, 0 to 1. */
  get ink() {
    if (this.#held > performance.now()) return 0;
    return Math.max(0, this.#allowance() / (this.#rate.points * CAUTION.full));
  }

  /** What the server lets anyone draw: so many points at once, filled again in so many seconds; a message costs `least`. */
  limit({ points, seconds, least }) {
    const same = points === this.#rate.points && seconds === this.#rate.seconds;
    this.#rate = { points, seconds, least };
    if (same) return;
    this.#tokens = { left: points * CAUTION.full, at: performance.now() };
  }

  /** Something else than points was sent, which costs as well. */
  spend() {
    this.#allowance();
    this.#tokens.left -= this.#rate.least;
  }

  /** Draw one pixel. */
  paint(i, colour) {
    const ref = this.#pixels.get(i);
    if (this.#queue.get(i) === colour) return;
    this.#queue.delete(i);
    const below = ref === undefined ? null : this.#under.get(ref).points.get(i);
    const word = this.colours[colour];
    const already = below === null ? this.trusted && this.#board.confirmed[i] === word : below === colour;
    if (!already) this.#queue.set(i, colour);
    this.#board.show(i, word);
    if (!already) this.#stir();
  }

  /** The connection is live: all that is unconfirmed may go. */
  open() {
    this.#open = true;
    this.#held = 0;
    for (const ref of [...this.#under.keys()].reverse()) this.#again(ref);
    this.#wake();
  }

  /** The connection is gone: nothing is sent, nothing is lost. */
  close() {
    this.#open = false;
    clearTimeout(this.#timer);
    this.#timer = null;
    this.onchange();
  }

  /** The server has a message; its points are in the board already. */
  confirmed(ref) {
    this.#take(ref, (i) => this.#board.reveal(i));
  }

  /** The server refused a message: what it drew is taken back. The number of points. */
  refused(ref) {
    return this.#take(ref, (i) => this.#board.reveal(i));
  }

  /** The rate limit was met: nothing is sent for so many milliseconds, then the message goes again. */
  slow(ref, after) {
    this.#held = Math.max(this.#held, performance.now() + Math.min(Math.max(after, 50), 60_000));
    if (this.#under.has(ref)) this.#again(ref);
    this.#wake();
  }

  /** A message has failed, and nobody says which: what is under way is given little time. */
  doubt() {
    const latest = performance.now() + DOUBTED - UNANSWERED;
    for (const message of this.#under.values()) message.at = Math.min(message.at, latest);
    this.#wake();
  }

  #take(ref, each) {
    const message = this.#under.get(ref);
    if (!message) return 0;
    this.#under.delete(ref);
    for (const i of message.points.keys()) this.#pixels.delete(i);
    for (const i of message.points.keys()) if (!this.#queue.has(i)) each(i);
    this.#wake();
    return message.points.size;
  }

  /** Put a message's points back, before what waits; what was painted over since, or is so already, needs no sending. */
  #again(ref) {
    const { points } = this.#under.get(ref);
    this.#under.delete(ref);
    const front = new Map();
    for (const [i, colour] of points) {
      this.#pixels.delete(i);
      if (this.#queue.has(i)) continue;
      if (this.trusted && this.#board.confirmed[i] === this.colours[colour]) continue;
      front.set(i, colour);
    }
    for (const [i, colour] of this.#queue) front.set(i, colour);
    this.#queue = front;
  }

  #allowance() {
    const now = performance.now();
    const { points, seconds } = this.#rate;
    const filled = ((now - this.#tokens.at) * points * CAUTION.speed) / (seconds * 1000);
    this.#tokens = { left: Math.min(points * CAUTION.full, this.#tokens.left + filled), at: now };
    return this.#tokens.left;
  }

  /** Painting comes pixel by pixel; waking once after all of them is enough. */
  #stir() {
    if (this.#stirred) return;
    this.#stirred = true;
    queueMicrotask(() => {
      this.#stirred = false;
      this.#wake();
    });
  }

  #wake() {
    this.onchange();
    if (!this.#open || !(this.#queue.size || this.#under.size)) return;
    const wait = this.#wait();
    const due = performance.now() + wait;
    if (this.#timer !== null && this.#due <= due + 1) return;
    clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => this.#pump(), wait);
  }

  /** Milliseconds until the next message may go. */
  #wait() {
    const now = performance.now();
    if (!this.#queue.size) return DOUBTED / 2;
    let wait = Math.max(this.#last + BETWEEN_MESSAGES - now, this.#held - now, 0);
    const { points, seconds, least } = this.#rate;
    const wanted = Math.min(Math.max(Math.min(this.#queue.size, MOST_POINTS / 2), least), points * CAUTION.full);
    const missing = wanted - this.#allowance();
    if (missing > 0) wait = Math.max(wait, (missing * seconds * 1000) / (points * CAUTION.speed) + 1);
    return this.#under.size >= MOST_UNDER_WAY ? Math.max(wait, 250) : wait;
  }

  #pump() {
    this.#timer = null;
    const now = performance.now();
    const silent = [...this.#under].filter(([, { at }]) => now - at > UNANSWERED).reverse();
    for (const [ref] of silent) this.#again(ref);
    if (silent.length) this.onsilence();
    if (this.#queue.size && this.#wait() <= 0) this.#message(now);
    this.#wake();
  }

  #message(now) {
    const most = Math.min(MOST_POINTS, Math.max(1, Math.floor(this.#allowance())));
    const points = new Map();
    for (const [i, colour] of this.#queue) {
      if (points.size >= most) break;
      if (!this.#pixels.has(i)) points.set(i, colour);
    }
    this.#last = now;
    if (!points.size) return;
    const ref = ++this.#ref;
    const width = this.#board.width;
    const list = Array.from(points, ([i, colour]) => [i % width, Math.floor(i / width), colour]);
    if (!this.#send({ action: "sendMessage", points: list, ref })) return;
    for (const i of points.keys()) {
      this.#queue.delete(i);
      this.#pixels.set(i, ref);
    }
    this.#under.set(ref, { points, at: now });
    this.#tokens.left -= Math.max(this.#rate.least, points.size);
  }
}

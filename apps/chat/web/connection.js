// One WebSocket that comes back: back-off with jitter, at once when the network is back, and a state that is honest.
//
// off: nobody asked for one yet; connecting: a socket is being made, or the room is being entered; live: we are in the
// room and know all that was said; waiting: lost, the next attempt is at `retryAt`; offline: the browser has no network.
// A network may go without a word: after some silence the server is asked for an answer.

const FIRST_DELAY = 400;
const LONGEST_DELAY = 20_000;
const NOT_READY = 30_000;
/** The gateway closes what is silent for ten minutes. */
const SILENCE = { visible: 60_000, hidden: 300_000 };
const ANSWER = 12_000;

export class Connection {
  onstate = () => {};
  onopen = () => {};
  onlost = () => {};
  onmessage = () => {};
  /** Called to ask the server for an answer; any frame is one. */
  onask = () => {};
  state = "off";
  everLive = false;
  retryAt = 0;

  #address;
  #socket = null;
  #attempt = 0;
  #delay = FIRST_DELAY;
  #timer = null; // of the state: the next attempt, or the end of patience
  #watch = null; // of the silence
  #heard = 0;

  /** `address()` promises the URL of the next attempt. */
  constructor(address) {
    this.#address = address;
    addEventListener("online", () => this.now());
    addEventListener("offline", () => {
      if (this.state === "waiting") this.#say("offline");
      else if (this.state === "live") this.#ask(); // the server may be on this machine
    });
    addEventListener("pageshow", (event) => event.persisted && this.now());
    document.addEventListener("visibilitychange", () => {
      if (this.state === "live") this.#listen();
      else if (document.visibilityState === "visible") this.now();
    });
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  async open() {
    const attempt = ++this.#attempt;
    this.#wait(NOT_READY, () => this.drop());
    this.#say("connecting");
    try {
      const url = await this.#address();
      if (attempt === this.#attempt && this.state === "connecting") this.#begin(new WebSocket(url));
    } catch (error) {
      console.debug("chat: no socket could be made", error);
      if (attempt === this.#attempt) this.#lost();
    }
  }

  #begin(socket) {
    this.#socket = socket;
    socket.onopen = () => socket === this.#socket && this.onopen();
    socket.onmessage = ({ data }) => {
      if (socket !== this.#socket) return;
      this.#heard = performance.now();
      this.onmessage(data);
    };
    socket.onclose = () => socket === this.#socket && this.#lost();
    socket.onerror = () => {};
  }

  /** We are in the room and know what was said. */
  ready() {
    if (this.state !== "connecting") return;
    clearTimeout(this.#timer);
    this.#delay = FIRST_DELAY;
    this.everLive = true;
    this.#say("live");
    this.#listen();
  }

  /** Somebody is choosing a name: there is no hurry. */
  rest() {
    if (this.state === "connecting") this.#wait(20 * NOT_READY, () => this.drop());
  }

  /** Try at once instead of at the next attempt's time. */
  now() {
    if (this.state === "waiting" || this.state === "offline") this.open();
  }

  /** Whether the message went out. */
  send(message) {
    if (!this.isOpen) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** Something that should have come has not: ask, unless the server has been heard a moment ago. */
  doubt() {
    if (this.state === "live" && performance.now() - this.#heard > ANSWER) this.#ask();
  }

  /** Give the socket up without waiting for its end. */
  drop() {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(1000);
    this.#lost();
  }

  #wait(time, then) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(then, time);
  }

  #listen() {
    clearTimeout(this.#watch);
    if (this.state !== "live") return;
    const left = this.#heard + SILENCE[document.visibilityState] - performance.now();
    if (left > 0) this.#watch = setTimeout(() => this.#listen(), left);
    else this.#ask();
  }

  #ask() {
    clearTimeout(this.#watch);
    const asked = performance.now();
    this.onask();
    this.#watch = setTimeout(() => (this.#heard > asked ? this.#listen() : this.drop()), ANSWER);
  }

  #lost() {
    this.#socket = null;
    clearTimeout(this.#watch);
    const wait = this.#delay * (0.5 + Math.random() / 2);
    this.#delay = Math.min(this.#delay * 2, LONGEST_DELAY);
    this.retryAt = Date.now() + wait;
    this.#wait(wait, () => this.open());
    this.onlost();
    this.#say(navigator.onLine === false ? "offline" : "waiting");
  }

  #say(state) {
    this.state = state;
    this.onstate(state);
  }
}

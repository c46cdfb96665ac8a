// One WebSocket that comes back: back-off with jitter, at once when the network is back, and a state that is honest.
//
// connecting: a socket is being made, or what was missed is being told; live: the server said `ready`;
// waiting: lost, the next attempt is at `retryAt`; offline: the browser says there is no network.
// A network may go without a word: after some silence the server is asked for an answer, as long as somebody looks.

const FIRST_DELAY = 400;
const LONGEST_DELAY = 20_000;
const NOT_READY = 25_000;
const SILENCE = 30_000;
const ANSWER = 12_000;

export class Connection {
  onstate = () => {};
  onmessage = () => {};
  /** Called to ask the server for an answer; any frame is one. */
  onask = () => {};
  state = "connecting";
  everLive = false;
  retryAt = 0;
  /** The number of the attempt: what an earlier one left behind can be told from what is new. */
  attempt = 0;

  #address;
  #socket = null;
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
      if (document.visibilityState !== "visible") return;
      if (this.state === "live") this.#listen();
      else this.now();
    });
  }

  open() {
    clearTimeout(this.#timer);
    const attempt = ++this.attempt;
    this.#say("connecting");
    this.#timer = setTimeout(() => this.#drop(), NOT_READY);
    this.#address()
      .then((url) => attempt === this.attempt && this.state === "connecting" && this.#begin(new WebSocket(url)))
      .catch((error) => {
        console.debug("scribble: no socket could be made", error);
        if (attempt === this.attempt) this.#lost();
      });
  }

  #begin(socket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      if (socket !== this.#socket) return;
      this.#heard = performance.now();
      this.onmessage(data);
    };
    socket.onclose = () => socket === this.#socket && this.#lost();
    socket.onerror = () => {};
  }

  /** The server has told all: from now on the connection is live. */
  ready() {
    if (this.state !== "connecting") return;
    clearTimeout(this.#timer);
    this.#delay = FIRST_DELAY;
    this.everLive = true;
    this.#say("live");
    this.#listen();
  }

  /** Try at once instead of at the next attempt's time. */
  now() {
    if (this.state === "waiting" || this.state === "offline") this.open();
  }

  /** Make a new connection, as the address says something else now. */
  renew() {
    this.#close();
    this.open();
  }

  /** Whether the message went out. */
  send(message) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  #listen() {
    clearTimeout(this.#watch);
    if (this.state !== "live" || document.visibilityState !== "visible") return;
    const left = this.#heard + SILENCE - performance.now();
    if (left > 0) this.#watch = setTimeout(() => this.#listen(), left);
    else this.#ask();
  }

  #ask() {
    clearTimeout(this.#watch);
    const asked = performance.now();
    this.onask();
    this.#watch = setTimeout(() => (this.#heard > asked ? this.#listen() : this.#drop()), ANSWER);
  }

  /** Something that should have come has not: ask, unless the server has been heard a moment ago. */
  doubt() {
    if (this.state === "live" && performance.now() - this.#heard > ANSWER) this.#ask();
  }

  /** Give the socket up without waiting for its end. */
  #drop() {
    this.#close();
    this.#lost();
  }

  #close() {
    const socket = this.#socket;
    this.#socket = null;
    clearTimeout(this.#watch);
    socket?.close(1000);
  }

  #lost() {
    this.#socket = null;
    clearTimeout(this.#timer);
    clearTimeout(this.#watch);
    const wait = this.#delay * (0.5 + Math.random() / 2);
    this.#delay = Math.min(this.#delay * 2, LONGEST_DELAY);
    this.retryAt = Date.now() + wait;
    this.#timer = setTimeout(() => this.open(), wait);
    this.#say(navigator.onLine === false ? "offline" : "waiting");
  }

  #say(state) {
    this.state = state;
    this.onstate(state);
  }
}

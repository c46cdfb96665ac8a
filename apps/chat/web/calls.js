// Requests and their answers: each carries a `ref`, and its answer brings it back. Without an answer a call fails.

/** A little more than the ten seconds for which the server keeps the place of a function that was killed. */
const PATIENCE = 11_000;
const DOUBTED = 2_500;

/** The server said no, and why. */
export class Refused extends Error {
  constructor({ code, message }) {
    super(typeof message === "string" ? message : "refused");
    this.code = code;
  }
}

/** The server said nothing. */
export class Silent extends Error {}

/** The connection went before the answer came. */
export class Lost extends Error {}

export class Calls {
  #send;
  #under = new Map(); // ref -> {resolve, reject, timer}
  #prefix = Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  #last = 0;

  constructor(send) {
    this.#send = send;
  }

  /** A reference that nobody else has. */
  ref() {
    return `${this.#prefix}-${++this.#last}`;
  }

  /** Send a request; a promise of the frame that answers it. */
  call(request, ref = this.ref()) {
    return new Promise((resolve, reject) => {
      if (!this.#send({ ...request, ref })) return reject(new Lost("not connected"));
      this.#under.set(ref, { resolve, reject, timer: this.#limit(ref, PATIENCE) });
    });
  }

  /** A frame came: whether it answers one of ours. */
  answer(ref, frame) {
    const call = this.#take(ref);
    if (frame.type === "error") call?.reject(new Refused(frame));
    else call?.resolve(frame);
    return call !== undefined;
  }

  /** Something failed and nobody says what: what is under way is given little time. */
  doubt() {
    for (const [ref, call] of this.#under) {
      clearTimeout(call.timer);
      call.timer = this.#limit(ref, DOUBTED);
    }
  }

  /** The connection is gone, and so are the answers. */
  lose() {
    for (const ref of [...this.#under.keys()]) this.#take(ref).reject(new Lost("the connection is lost"));
  }

  #take(ref) {
    const call = this.#under.get(ref);
    clearTimeout(call?.timer);
    this.#under.delete(ref);
    return call;
  }

  #limit(ref, after) {
    return setTimeout(() => this.#take(ref)?.reject(new Silent("no answer")), after);
  }
}

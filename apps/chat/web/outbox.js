// What we said and the server has not confirmed: shown at once, sent one after another so that it keeps its order,
// kept over a lost connection and sent again; by `once` the server knows what it has already.

import { Lost, Refused, Silent } from "./calls.js";

const TRIES = 3;

export class Outbox {
  /** Called when what waits has changed. */
  onchange = () => {};
  /** Called when a message has had no answer for long. */
  onsilence = () => {};

  #calls;
  #entries = [];
  #room = null;
  #busy = null;

  constructor(calls) {
    this.#calls = calls;
  }

  /** What waits in a room, oldest first. */
  of(room) {
    return this.#entries.filter((entry) => entry.room === room);
  }

  get size() {
    return this.#entries.length;
  }

  add(room, text) {
    this.#entries.push({ ref: this.#calls.ref(), room, text, at: Date.now(), state: "waiting", why: "", tries: 0, doubtful: false });
    this.#go();
  }

  /** We are in a room, and know what was said there: the rest may go. */
  open(room) {
    this.#room = room;
    for (const entry of this.of(room)) if (entry.state === "failed" && entry.doubtful) entry.state = "waiting";
    this.#go();
  }

  close() {
    this.#room = null;
    this.onchange();
  }

  retry(ref) {
    const entry = this.#entries.find((entry) => entry.ref === ref);
    if (entry) Object.assign(entry, { state: "waiting", tries: 0 });
    this.#go();
  }

  remove(ref) {
    this.#entries = this.#entries.filter((entry) => entry.ref !== ref);
    this.onchange();
  }

  /** A message of ours has come, and waits no longer. */
  arrived({ ref }) {
    if (this.#entries.some((entry) => entry.ref === ref)) this.remove(ref);
  }

  #go() {
    this.onchange();
    if (this.#busy || this.#room === null) return;
    const next = this.of(this.#room).find(({ state }) => state === "waiting");
    if (next) this.#send(next);
  }

  async #send(entry) {
    this.#busy = entry;
    entry.state = "sending";
    this.onchange();
    try {
      await this.#calls.call({ action: "sendmessage", text: entry.text, once: entry.ref }, entry.ref);
      this.remove(entry.ref);
    } catch (error) {
      this.#failed(entry, error);
    }
    this.#busy = null;
    this.#go();
  }

  #failed(entry, error) {
    if (error instanceof Lost) {
      Object.assign(entry, { state: "waiting", doubtful: true });
    } else if (error instanceof Silent) {
      entry.tries += 1;
      Object.assign(entry, { state: entry.tries < TRIES ? "waiting" : "failed", why: "no answer came", doubtful: true });
      this.onsilence();
    } else if (error instanceof Refused) {
      Object.assign(entry, { state: "failed", why: error.message, doubtful: false });
    } else {
      throw error;
    }
  }
}

/** Edits and deletions on their way; they may be sent again without harm. */
export class Changes {
  /** Called with the number of a message whose change began, ended or failed; then with why. */
  onchange = () => {};
  onrefused = () => {};

  #calls;
  #under = new Map(); // room and seq -> {room, seq, what, ref}

  constructor(calls) {
    this.#calls = calls;
  }

  get(room, seq) {
    return this.#under.get(`${room} ${seq}`)?.what;
  }

  /** Change a message: `what` is {text} or {delete: true}. */
  make(room, seq, what) {
    const change = { room, seq, what, ref: this.#calls.ref() };
    this.#under.set(`${room} ${seq}`, change);
    this.onchange(seq);
    this.#send(change);
  }

  /** We are in a room again: what was not confirmed goes again. */
  open(room) {
    for (const change of this.#under.values()) if (change.room === room) this.#send(change);
  }

  /** A message has changed, which is the answer too. */
  arrived(room, { seq }, frame) {
    const change = this.#under.get(`${room} ${seq}`);
    if (change) this.#calls.answer(change.ref, frame);
    this.#end(change);
  }

  #end(change) {
    if (!change || this.#under.get(`${change.room} ${change.seq}`) !== change) return;
    this.#under.delete(`${change.room} ${change.seq}`);
    this.onchange(change.seq);
  }

  async #send(change) {
    try {
      await this.#calls.call({ action: "changemessage", seq: change.seq, ...change.what }, change.ref);
      this.#end(change);
    } catch (error) {
      if (error instanceof Lost) return;
      this.#end(change);
      this.onrefused(change, error);
    }
  }
}

// The messages of one room by their numbers: pages of history, what was missed, gaps. The same order for everybody.
//
// Between `oldest` and `complete` everything is known that there is. What comes with a higher number than the next is
// shown in its place, and what lies between is fetched, as broadcasts may come in any order and some may be lost.

export const PAGE = 50;
const TOO_FAR = 300;
const FIRST_WAIT = 250;
const TRIES = 4;

/** A message as the server tells it, or null for what isn't one; `language` is that of its translation. */
export function parse(found, language = "") {
  if (!found || !Number.isSafeInteger(found.seq) || found.seq < 1) return null;
  return {
    seq: found.seq,
    from: typeof found.from === "string" ? found.from : "",
    id: found.id,
    text: typeof found.text === "string" ? found.text : "",
    at: Number.isFinite(found.at) ? found.at : Date.now(),
    language: typeof found.language === "string" ? found.language : "",
    edited: Boolean(found.edited),
    deleted: Boolean(found.deleted),
    version: Number.isFinite(found.version) ? found.version : 0,
    translations: language && typeof found.translated === "string" ? { [language]: found.translated } : {},
    ref: found.ref,
  };
}

export class Timeline {
  /** Called with messages that are new or have changed. */
  onput = () => {};
  /** Called when there are no messages any more, as another room is shown. */
  onclear = () => {};
  /** Called when `more` or `loading` changed. */
  onearlier = () => {};
  /** Whether there is something before the oldest message. */
  more = false;
  loading = false;
  complete = 0;
  /** The language into which we asked for translations, or "". */
  language = "";

  #calls;
  #messages = new Map();
  #translations = new Map(); // of messages that have not come yet
  #top = 0;
  #oldest = 0;
  #era = 0;
  #settled = false;
  #timer = null;
  #tries = 0;

  constructor(calls) {
    this.#calls = calls;
  }

  get(seq) {
    return this.#messages.get(seq);
  }

  get size() {
    return this.#messages.size;
  }

  /** The messages after one, in order. */
  after(seq) {
    return [...this.#messages.values()].filter((message) => message.seq > seq).sort((a, b) => a.seq - b.seq);
  }

  /** The last message that fits. */
  last(fits) {
    return this.after(0).findLast(fits);
  }

  /** Show a room from its newest page on. */
  async start(last) {
    this.clear();
    const era = this.#era;
    const frame = last > 0 ? await this.#ask({ before: last + 1, limit: PAGE }) : { messages: [], more: false };
    if (era !== this.#era) return;
    const found = this.#put(frame.messages);
    this.#bounds(frame, found);
    this.complete = found.at(-1)?.seq ?? last;
    this.#settle(last);
  }

  /** The connection is back: fetch what was said meanwhile. */
  async resume(last) {
    const reset = last < this.complete || last - this.complete > TOO_FAR;
    if (reset || this.#oldest === 0) return this.start(last);
    const era = this.#era;
    this.#settled = false;
    const seen = this.complete;
    await this.#walk(era);
    if (era !== this.#era) return;
    this.#settle(last);
    this.#refresh(seen).catch((error) => console.debug("chat: edits may be missing", error));
  }

  /** The page before the oldest message. */
  async earlier() {
    if (this.loading || !this.more) return;
    const era = this.#era;
    this.#load(true);
    try {
      const frame = await this.#ask({ before: this.#oldest, limit: PAGE });
      if (era === this.#era) this.#bounds(frame, this.#put(frame.messages));
    } finally {
      if (era === this.#era) this.#load(false);
    }
  }

  /** Messages were said now. */
  take(messages) {
    this.#put(messages);
    this.#check();
  }

  /** A message was changed; one that is not shown comes changed, when it comes. */
  change(message) {
    if (this.#messages.has(message.seq)) this.#put([message]);
    else if (message.seq > this.complete) this.take([message]);
  }

  /** A translation has come; perhaps before its message. */
  translated(frame) {
    const { seq, language, text, version = 0 } = frame;
    if (typeof language !== "string" || typeof text !== "string") return;
    const message = this.#messages.get(seq);
    if (!message || message.version < version) {
      this.#translations.set(seq, frame);
      if (this.#translations.size > PAGE) this.#translations.delete(this.#translations.keys().next().value);
    } else if (message.version === version) {
      message.translations = { ...message.translations, [language]: text };
      this.onput([message]);
    }
  }

  /** Keep so many of the newest messages; the others can be had again. The number of the oldest. */
  trim(most) {
    const kept = this.after(0).slice(-most);
    this.#messages = new Map(kept.map((message) => [message.seq, message]));
    this.#oldest = kept[0].seq;
    this.complete = Math.max(this.complete, this.#oldest);
    this.more = true;
    this.onearlier();
    return this.#oldest;
  }

  clear() {
    this.#era += 1;
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#messages.clear();
    this.#translations.clear();
    this.complete = this.#top = this.#oldest = this.#tries = 0;
    this.#settled = this.more = this.loading = false;
    this.onclear();
  }

  #ask(request) {
    return this.#calls.call({ action: "getmessages", ...request });
  }

  #load(loading) {
    this.loading = loading;
    this.onearlier();
  }

  #bounds({ more, before }, found) {
    const first = Number.isSafeInteger(before) ? before : found[0]?.seq;
    this.more = Boolean(more) && first !== undefined && first > 1;
    this.#oldest = first ?? Math.max(this.#oldest, 1);
    this.onearlier();
  }

  /** Take messages in; those that are news, in their order, are told. A late page doesn't undo a change. */
  #put(found) {
    const all = (Array.isArray(found) ? found : []).map((one) => parse(one, this.language)).filter(Boolean);
    all.sort((a, b) => a.seq - b.seq);
    const news = all.filter((message) => this.#isNews(message));
    for (const message of news) {
      const { seq, version } = message;
      const early = this.#translations.get(seq);
      if (early?.version === version) message.translations[early.language] ??= early.text;
      this.#translations.delete(seq);
      this.#messages.set(seq, message);
      this.#top = Math.max(this.#top, seq);
    }
    if (news.length) this.onput(news);
    return all;
  }

  /** Whether a message is new, or newer than what we know of it. */
  #isNews(message) {
    const known = this.#messages.get(message.seq);
    if (!known || message.version > known.version) return true;
    const more = Object.entries(message.translations).some(([language, text]) => known.translations[language] !== text);
    if (message.version < known.version || !more) return false;
    message.translations = { ...known.translations, ...message.translations };
    return true;
  }

  /** Fetch page by page what comes after the last that is known for sure. */
  async #walk(era) {
    let after = this.complete;
    for (;;) {
      const frame = await this.#ask({ after, limit: PAGE });
      if (era !== this.#era) return;
      const found = this.#put(frame.messages);
      const last = found.at(-1)?.seq ?? after;
      if (!frame.more || last <= after) return;
      after = last;
    }
  }

  async #refresh(seen) {
    const era = this.#era;
    const frame = await this.#ask({ before: seen + 1, limit: PAGE });
    if (era === this.#era) this.#put(frame.messages.filter(({ seq }) => seq >= this.#oldest));
  }

  #settle(last) {
    this.#top = Math.max(this.#top, last);
    this.#settled = true;
    this.#tries = 0;
    this.#check();
  }

  #check() {
    if (!this.#settled) return;
    while (this.#messages.has(this.complete + 1)) {
      this.complete += 1;
      this.#tries = 0;
    }
    if (this.complete >= this.#top) {
      clearTimeout(this.#timer);
      this.#timer = null;
      return;
    }
    this.#timer ??= setTimeout(() => this.#fill(), FIRST_WAIT * 2 ** this.#tries);
  }

  async #fill() {
    const era = this.#era;
    const [from, tries] = [this.complete, this.#tries + 1];
    try {
      await this.#walk(era);
    } catch (error) {
      console.debug("chat: a gap could not be filled yet", error);
    }
    if (era !== this.#era) return;
    this.#timer = null;
    this.#tries = tries;
    if (tries >= TRIES && this.complete === from) this.#skip();
    this.#check();
  }

  /** What still isn't there has expired. */
  #skip() {
    const later = [...this.#messages.keys()].filter((seq) => seq > this.complete + 1);
    this.complete = later.length ? Math.min(...later) - 1 : this.#top;
    this.#tries = 0;
  }
}

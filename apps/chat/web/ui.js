// Small things that several parts of the page show: notes, what is said to screen readers, the state of the connection.

export const at = (id) => document.getElementById(id);

const NOTE_TIME = 5000;
const SAY_AFTER = 700;
const MOST_SAID = 2;

/** Said by screen readers, not shown. Of many at once only the last is said, and how many there were. */
let waiting = [];
let saying = null;
export function say(text) {
  waiting.push(text);
  saying ??= setTimeout(() => {
    const many = waiting.length > MOST_SAID;
    at("said").textContent = many ? `${waiting.length} news. ${waiting.at(-1)}` : waiting.join(". ");
    [waiting, saying] = [[], null];
  }, SAY_AFTER);
}

/** A note that goes away on its own. */
let noting = null;
export function note(text) {
  at("note").textContent = text;
  at("note").classList.add("shown");
  clearTimeout(noting);
  noting = setTimeout(() => at("note").classList.remove("shown"), NOTE_TIME);
}

const SAID = {
  live: "Connected",
  waiting: "The connection is lost. What you write is kept. Reconnecting",
  offline: "Offline. What you write is kept",
};

/** The state of the connection in words; counts the seconds to the next attempt. */
export class State {
  #connection;
  #timer = null;
  #said = "";

  constructor(connection) {
    this.#connection = connection;
    at("now").onclick = () => connection.now();
  }

  show() {
    clearTimeout(this.#timer);
    const { state, everLive, retryAt } = this.#connection;
    const seconds = Math.max(1, Math.ceil((retryAt - Date.now()) / 1000));
    const texts = {
      off: "",
      connecting: everLive ? "Reconnecting…" : "Connecting…",
      live: "",
      waiting: everLive ? `Connection lost. Again in ${seconds} s` : `No connection. Again in ${seconds} s`,
      offline: "Offline. What you write is kept",
    };
    document.body.dataset.state = state;
    at("state").hidden = !texts[state];
    at("state-text").textContent = texts[state];
    at("join-state").textContent = at("join").open ? texts[state] : "";
    at("live").hidden = state !== "live";
    at("now").hidden = state !== "waiting" && state !== "offline";
    if (state === "waiting") this.#timer = setTimeout(() => this.show(), 1000);
    // Attempts that fail one after another are one news.
    const news = SAID[state];
    if (news && news !== this.#said) say((this.#said = news));
  }
}

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

/** The name of a language in the reader's own. */
export function languageName(code) {
  try {
    return new Intl.DisplayNames(undefined, { type: "language" }).of(code);
  } catch {
    return code;
  }
}

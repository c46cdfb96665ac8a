// Small things that several parts of the page show: notes, what is said to screen readers, the state of the connection.

export const at = (id) => document.getElementById(id);

const NOTE_TIME = 5000;
const number = new Intl.NumberFormat();

/** Said by screen readers, not shown. The last of many at once is what counts. */
let saying = null;
export function say(text) {
  clearTimeout(saying);
  saying = setTimeout(() => (at("said").textContent = text), 150);
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
  connecting: "Connecting",
  live: "Live: you draw together",
  waiting: "The connection is lost; your strokes are kept. Reconnecting",
  offline: "Offline; your strokes are kept",
};

/** The state of the connection, in words and as a colour; counts the seconds to the next attempt. */
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
      connecting: everLive ? "Reconnecting…" : "Connecting…",
      live: "Live",
      waiting: `Connection lost. Again in ${seconds} s`,
      offline: "Offline. Your strokes are kept",
    };
    at("state").dataset.state = state;
    at("state-text").textContent = texts[state];
    at("now").hidden = state === "connecting" || state === "live";
    if (state === "waiting") this.#timer = setTimeout(() => this.show(), 1000);
    // Attempts that fail one after another are one news.
    const news = state === "connecting" && everLive ? this.#said : SAID[state];
    if (news !== this.#said) say((this.#said = news));
  }
}

/** How much ink the rate limit leaves, and what is not sent or not confirmed yet. */
export class Meter {
  #outbox;
  #connection;
  #timer = null;

  constructor(outbox, connection) {
    this.#outbox = outbox;
    this.#connection = connection;
    outbox.onchange = () => (this.#timer ??= setTimeout(() => this.show(), 120));
  }

  show() {
    this.#timer = null;
    const { ink, unsent, waiting, late } = this.#outbox;
    const percent = Math.round(ink * 100);
    at("ink").setAttribute("aria-valuenow", String(percent));
    at("ink").title = `Ink: ${percent} % of what anyone may draw at once`;
    at("ink").firstElementChild.style.transform = `scaleX(${ink.toFixed(3)})`;
    const live = this.#connection.state === "live";
    const behind = live && (unsent > 256 || late);
    const points = number.format(waiting);
    at("queue").hidden = !(behind || (waiting && !live));
    at("queue").textContent = behind ? `Catching up: ${points} points` : `${points} points kept`;
    if ((percent < 100 || waiting) && live) this.#timer = setTimeout(() => this.show(), 250);
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

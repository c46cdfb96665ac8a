// The list of messages: in order of their numbers, grouped by author and day, at a scroll position that stays.

import * as items from "./message.js";
import { at } from "./ui.js";

const GROUP = 5 * 60_000;
const NEAR = 48;
const AHEAD = 500;

const dayOf = (time) => new Date(time).toDateString();

function dayName(time) {
  const date = new Date(time);
  const days = Math.round((new Date(dayOf(Date.now())) - new Date(dayOf(time))) / 86_400_000);
  if (days === 0 || days === 1) {
    const name = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" }).format(-days, "day");
    return name.charAt(0).toUpperCase() + name.slice(1);
  }
  const year = date.getFullYear() === new Date().getFullYear() ? undefined : "numeric";
  return new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long", year }).format(date);
}

export class Log {
  /** Called with what is asked of a message: edit, delete, retry, remove; and the message or what waits. */
  onaction = () => {};
  /** Called when the end comes into sight or leaves it. */
  onbottom = () => {};
  /** Called when the oldest messages come near. */
  onearlier = () => {};
  #box = at("log");
  #list = at("messages");
  #waiting = at("pending");
  #items = []; // {message, item}, in the order of their numbers
  #entries = [];
  #originals = new Set();
  #wholes = new Set();
  #divided = 0;
  #current = null;
  #atBottom = true;
  #top = 0; // where the list was scrolled to, when that was last known
  #view;

  /** `view(message)` tells {mine, language, change}. */
  constructor(view) {
    this.#view = view;
    this.#box.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#box.addEventListener("click", (event) => this.#clicked(event));
    this.#box.addEventListener("focusin", (event) => this.#focused(event.target.closest("article")));
    this.#box.addEventListener("keydown", (event) => this.#pressed(event));
    new ResizeObserver(() => this.bottom && this.toBottom()).observe(this.#box);
  }

  /** Whether the newest message is in sight. Events of scrolling and of changed heights come late. */
  get bottom() {
    const { scrollTop, scrollHeight, clientHeight } = this.#box;
    return scrollHeight - scrollTop - clientHeight < NEAR || (this.#atBottom && scrollTop >= this.#top - 1);
  }

  /** Take in messages that are new or have changed. */
  put(messages) {
    this.keep(() => {
      for (const message of messages) {
        const index = this.#index(message.seq);
        if (this.has(message.seq)) {
          this.#items[index].message = message;
          this.#fill(this.#items[index]);
        } else {
          const made = { message, item: items.build() };
          made.item.dataset.seq = message.seq;
          this.#list.insertBefore(made.item, this.#items[index]?.item ?? null);
          this.#items.splice(index, 0, made);
          this.#fill(made);
        }
        this.#group(this.#index(message.seq));
        this.#group(this.#index(message.seq) + 1);
      }
      this.#finish();
    });
  }

  /** What waits to be sent, after all else. */
  pend(entries) {
    this.keep(() => {
      this.#entries = entries;
      const shown = entries.map((entry, index) => {
        const item = items.build();
        item.dataset.ref = entry.ref;
        const message = { seq: 0, from: "", text: entry.text, at: entry.at, edited: false, deleted: false, language: "" };
        items.fill(item, message, { mine: true, state: entry.state, why: entry.why, whole: this.#wholes.has(entry.ref) });
        const last = this.#items.at(-1);
        const goesOn = index > 0 || (last && this.#view(last.message).mine && entry.at - last.message.at < GROUP);
        item.classList.toggle("first", !goesOn);
        return item;
      });
      this.#waiting.replaceChildren(...shown);
      this.#finish();
    });
  }

  has(seq) {
    return this.#items[this.#index(seq)]?.message.seq === seq;
  }

  /** Show a message again, as something about it has changed. */
  again(seq) {
    if (this.has(seq)) this.put([this.#items[this.#index(seq)].message]);
  }

  allAgain() {
    this.put(this.#items.map(({ message }) => message));
  }

  /** Show nothing before a message any more. */
  trim(seq) {
    this.keep(() => {
      for (const { item } of this.#items.splice(0, this.#index(seq))) item.remove();
      this.#group(0);
    });
  }

  clear() {
    this.#items = [];
    this.#originals.clear();
    this.#wholes.clear();
    this.#list.replaceChildren();
    this.#waiting.replaceChildren();
    this.#divided = 0;
    this.#current = null;
    this.#atBottom = true;
    this.#top = 0;
  }

  /** A line before the first message that is new; 0 takes it away. */
  divide(seq) {
    this.keep(() => {
      this.#items[this.#index(this.#divided)]?.item.querySelector(".divider").setAttribute("hidden", "");
      this.#divided = seq;
      if (seq) this.#items[this.#index(seq)]?.item.querySelector(".divider").removeAttribute("hidden");
    });
  }

  /** Bring a line between old and new into sight, if it is not. */
  toDivider() {
    const line = this.#box.querySelector(".divider:not([hidden])");
    if (!line || line.getBoundingClientRect().top >= this.#box.getBoundingClientRect().top) return;
    this.#box.scrollTop += line.getBoundingClientRect().top - this.#box.getBoundingClientRect().top - 60;
    this.#scrolled();
  }

  toBottom() {
    this.#box.scrollTop = this.#box.scrollHeight;
    this.#scrolled();
  }

  /** Do something that changes heights; what is read stays where it is. */
  keep(change) {
    if (this.bottom) {
      change();
      this.#box.scrollTop = this.#box.scrollHeight;
      this.#top = this.#box.scrollTop;
      return;
    }
    this.#scrolled();
    const top = this.#box.getBoundingClientRect().top;
    const anchor = this.#items.find(({ item }) => item.isConnected && item.getBoundingClientRect().bottom > top)?.item;
    const before = anchor?.querySelector("article").getBoundingClientRect().top;
    change();
    if (anchor) this.#box.scrollTop += anchor.querySelector("article").getBoundingClientRect().top - before;
    this.#top = this.#box.scrollTop;
  }

  /** Where a message with this number is, or would be. */
  #index(seq) {
    let [low, high] = [0, this.#items.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#items[middle].message.seq < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #fill({ message, item }) {
    const { seq } = message;
    const view = this.#view(message);
    items.fill(item, message, { ...view, original: this.#originals.has(seq), whole: this.#wholes.has(seq) });
    this.#reach(item, item.querySelector("article") === this.#current);
  }

  /** Whether a message begins a group and a day, as its neighbour says. */
  #group(index) {
    const { message, item } = this.#items[index] ?? {};
    if (!item) return;
    const before = this.#items[index - 1]?.message;
    const newDay = !before || dayOf(before.at) !== dayOf(message.at);
    const day = item.querySelector(".day");
    day.hidden = !newDay;
    if (newDay) day.firstElementChild.textContent = dayName(message.at);
    const goesOn = !newDay && before.from === message.from && message.at - before.at < GROUP && message.seq !== this.#divided;
    item.classList.toggle("first", !goesOn);
    item.querySelector(".divider").hidden = message.seq !== this.#divided;
  }

  /** The mark of what was sent, and which message the tab key reaches. */
  #finish() {
    for (const mark of this.#box.querySelectorAll(".delivery.sent")) {
      const footer = mark.parentElement;
      mark.remove();
      footer.hidden = !footer.childElementCount;
    }
    const last = this.#items.at(-1);
    if (last && !this.#entries.length && this.#view(last.message).mine && !last.message.deleted) {
      items.sent(last.item.querySelector("footer"));
    }
    if (this.#current?.contains(document.activeElement)) return;
    this.#focused((this.#waiting.lastElementChild ?? this.#list.lastElementChild)?.querySelector("article"));
  }

  /** One message is reached with the tab key, and what is in it; the arrow keys lead to the others. */
  #focused(article) {
    if (!article || article === this.#current) return;
    if (this.#current) this.#reach(this.#current, false);
    this.#current = article;
    this.#reach(article, true);
  }

  #reach(inside, on) {
    const article = inside.closest("article") ?? inside.querySelector("article");
    article.tabIndex = on ? 0 : -1;
    for (const each of article.querySelectorAll("a, button")) each.tabIndex = on ? 0 : -1;
  }

  #pressed(event) {
    const article = event.target.closest("article");
    if (!article || event.ctrlKey || event.altKey || event.metaKey) return;
    const all = [...this.#box.querySelectorAll("article")];
    const here = all.indexOf(article);
    const next = { ArrowUp: here - 1, ArrowDown: here + 1, Home: 0, End: all.length - 1 }[event.key];
    if (next === undefined || !all[next]) return;
    event.preventDefault();
    all[next].focus();
    all[next].scrollIntoView({ block: "nearest" });
  }

  #clicked(event) {
    const button = event.target.closest("button");
    const item = event.target.closest("li");
    if (!button || !item) return;
    const { seq, ref } = item.dataset;
    const key = seq ? Number(seq) : ref;
    const subject = seq ? this.#items[this.#index(key)].message : this.#entries.find((entry) => entry.ref === ref);
    const action = button.dataset.action ?? (button.classList.contains("edit") ? "edit" : "delete");
    if (action === "whole") {
      this.#wholes.add(key);
    } else if (action === "original") {
      if (!this.#originals.delete(key)) this.#originals.add(key);
    } else {
      this.onaction(action, subject);
      return;
    }
    if (seq) this.again(key);
    else this.pend(this.#entries);
    item.querySelector("[data-action]")?.focus() ?? item.querySelector("article").focus();
  }

  #scrolled() {
    const { bottom } = this;
    this.#top = this.#box.scrollTop;
    if (this.#top < AHEAD) this.onearlier();
    if (bottom === this.#atBottom) return;
    this.#atBottom = bottom;
    this.onbottom();
  }
}

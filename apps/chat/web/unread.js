// What came while nobody looked: a number in the title, a dot on the icon, a line in the list, a button to get there.

import { at } from "./ui.js";

export class Unread {
  count = 0;
  room = "";

  #log;
  #icon = at("icon").href;

  constructor(log) {
    this.#log = log;
    at("jump").onclick = () => {
      log.toBottom();
      at("text").focus({ preventScroll: true });
    };
  }

  /** Whether somebody sees what comes. */
  get looking() {
    return document.visibilityState === "visible" && document.hasFocus() && this.#log.bottom;
  }

  /** Messages of others have come: the first of them and how many. */
  came(first, number) {
    if (!this.looking) {
      if (!this.count) this.#log.divide(first);
      this.count += number;
    }
    this.show();
  }

  /** Those after the last one that was read on an earlier visit. */
  since(first, number) {
    this.#log.divide(first);
    this.count = number;
    this.#log.toDivider();
    this.look();
  }

  /** Somebody may look now. Whether all has been seen. */
  look() {
    const { looking } = this;
    if (looking) this.count = 0;
    this.show();
    return looking;
  }

  forget() {
    this.count = 0;
    this.show();
  }

  show() {
    const name = this.room ? `#${this.room} · Chat` : "Chat";
    document.title = this.count ? `(${this.count}) ${name}` : name;
    const dot = "%3Ccircle cx='18.5' cy='5.500' r='5' fill='%23e5484d'/%3E%3C/svg%3E";
    at("icon").href = this.count ? this.#icon.replace("%3C/svg%3E", dot) : this.#icon;
    at("jump").hidden = this.#log.bottom;
    at("jump").classList.toggle("news", this.count > 0);
    const news = this.count === 1 ? "1 new message" : `${this.count} new messages`;
    at("jump-text").textContent = this.count ? news : "Newest messages";
  }
}

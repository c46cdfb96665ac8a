// Who is here and who is typing.

import { hue, initial, tidyName } from "./text.js";
import { at } from "./ui.js";

const TYPES_FOR = 7000;
const MOST_SHOWN = 200;
const list = new Intl.ListFormat(undefined, { type: "conjunction" });

export class People {
  #me = { id: "", name: "" };
  #here = [];
  #typing = new Map(); // name -> timer

  /** Those who are in the room, and who of them we are. */
  set(here, me) {
    this.#me = me;
    const others = (Array.isArray(here) ? here : []).filter(({ id }) => id !== me.id);
    this.#here = others.map(({ name }) => tidyName(name) || "Somebody").sort((a, b) => a.localeCompare(b));
    for (const name of this.#typing.keys()) if (!this.#here.includes(name)) this.typing(name, false);
    this.#show();
  }

  forget() {
    for (const name of [...this.#typing.keys()]) this.typing(name, false);
    this.#here = [];
    at("people-count").textContent = "–";
    at("people-title").textContent = "Here now";
    at("here").replaceChildren();
  }

  typing(found, on) {
    const name = tidyName(found);
    clearTimeout(this.#typing.get(name));
    this.#typing.delete(name);
    if (on && name && name !== this.#me.name) this.#typing.set(name, setTimeout(() => this.typing(name, false), TYPES_FOR));
    this.#showTyping();
  }

  #show() {
    const number = this.#here.length + 1;
    at("people-count").textContent = String(number);
    at("people-title").textContent = number === 1 ? "Here now: you" : `Here now: ${number}`;
    const rows = [this.#me.name, ...this.#here.slice(0, MOST_SHOWN)].map((name, index) => this.#row(name, index === 0));
    at("here").replaceChildren(...rows);
  }

  #row(name, me) {
    const row = document.createElement("li");
    const avatar = document.createElement("span");
    const shown = document.createElement("bdi");
    row.style.setProperty("--hue", String(hue(name)));
    avatar.className = "avatar";
    avatar.ariaHidden = "true";
    avatar.textContent = initial(name);
    shown.textContent = name;
    row.append(avatar, shown);
    if (me) row.append(" (you)");
    return row;
  }

  #showTyping() {
    const names = [...this.#typing.keys()];
    const line = at("typing");
    line.classList.toggle("shown", names.length > 0);
    if (!names.length) return line.replaceChildren();
    const several = names.length > 3;
    const parts = several ? [`${names.length} people`] : list.formatToParts(names).map(({ type, value }) => {
      if (type !== "element") return value;
      const name = document.createElement("bdi");
      name.textContent = value;
      return name;
    });
    const dots = document.createElement("span");
    dots.className = "dots";
    dots.append(...[1, 2, 3].map(() => document.createElement("i")));
    line.replaceChildren(dots, ...parts, names.length > 1 ? " are typing" : " is typing");
  }
}

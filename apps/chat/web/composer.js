// Where one writes: a field that grows, emoji, editing of what was said, and telling others that somebody types.

import { at } from "./ui.js";

export const MOST_LETTERS = 2000;
const TELL_AGAIN = 3000;
const PAUSE = 4000;
const EMOJI =
  "😀 😃 😄 😁 😆 😅 😂 🙂 😉 😊 😍 😘 😜 🤔 😐 😴 😎 😢 😭 😡 😱 🥳 🤗 🙄 👍 👎 👏 🙏 👋 💪 🤝 👀 ❤️ 💛 💚 💙 💔 ✨ 🔥 🎉 🎂 ☕ 🍕 🌍 🌈 ☀️ ⭐ ✅".split(" ");

export class Composer {
  /** Called with a text that is to be sent. */
  onsend = () => {};
  /** Called with a message and its new text. */
  onedit = () => {};
  /** Called to learn which message the up arrow edits. */
  onlast = () => null;
  /** Called when one begins or ends to type. */
  ontyping = () => {};
  /** The message that is being edited. */
  editing = null;

  #field = at("text");
  #draft = "";
  #told = 0;
  #timer = null;

  constructor() {
    this.#field.addEventListener("input", () => this.#changed());
    this.#field.addEventListener("keydown", (event) => this.#pressed(event));
    at("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    at("edit-cancel").onclick = () => this.stop();
    at("emoji").append(...EMOJI.map((one) => this.#emoji(one)));
    this.#grow();
  }

  focus() {
    this.#field.focus();
  }

  /** Edit a message: its text comes into the field, and what stood there is kept. */
  edit(message) {
    if (!this.editing) this.#draft = this.#field.value;
    this.editing = message;
    this.#put(message.text);
  }

  stop() {
    if (!this.editing) return;
    this.editing = null;
    this.#put(this.#draft);
    this.#draft = "";
  }

  #put(text) {
    at("editing").hidden = !this.editing;
    at("send").ariaLabel = this.editing ? "Save" : "Send";
    this.#field.value = text;
    this.#field.focus();
    this.#field.setSelectionRange(text.length, text.length);
    this.#grow();
  }

  #pressed(event) {
    // While letters are being put together (as in Japanese), Enter belongs to that.
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === "ArrowUp" && !this.#field.value && !this.editing) {
      const last = this.onlast();
      if (!last) return;
      event.preventDefault();
      this.edit(last);
    } else if (event.key === "Escape") {
      this.stop();
    }
  }

  #submit() {
    const text = this.#field.value.trim();
    if (!text || this.#left(text) < 0) return;
    const { editing } = this;
    this.#tell(false);
    if (editing) {
      this.stop();
      if (text !== editing.text) this.onedit(editing, text);
    } else {
      this.#put("");
      this.onsend(text);
    }
  }

  #changed() {
    this.#grow();
    if (!this.editing) this.#tell(this.#field.value.trim() !== "");
  }

  #left(text) {
    return MOST_LETTERS - [...text].length;
  }

  #grow() {
    const left = this.#left(this.#field.value.trim());
    at("left").hidden = left > 200;
    at("left").textContent = String(left);
    at("left").classList.toggle("over", left < 0);
    at("send").disabled = left < 0 || left === MOST_LETTERS;
    this.#field.style.height = "auto";
    this.#field.style.height = `${this.#field.scrollHeight}px`;
  }

  /** Others are told at most every few seconds, and when it is over. */
  #tell(typing) {
    clearTimeout(this.#timer);
    const now = performance.now();
    if (typing) {
      this.#timer = setTimeout(() => this.#tell(false), PAUSE);
      if (this.#told && now - this.#told < TELL_AGAIN) return;
    } else if (!this.#told) {
      return;
    }
    this.#told = typing ? now : 0;
    this.ontyping(typing);
  }

  #emoji(one) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "icon";
    button.textContent = one;
    button.onclick = () => {
      this.#field.setRangeText(one, this.#field.selectionStart, this.#field.selectionEnd, "end");
      this.#changed();
      at("emoji").hidePopover();
      this.#field.focus();
    };
    return button;
  }
}

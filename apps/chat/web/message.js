// One message as people see it: who, when, what, and what can be done with it.

import { fewEmoji, hue, initial, nodes, tidyName } from "./text.js";
import { at, languageName } from "./ui.js";

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });
const MOST_LINES = 16;
const MOST_LETTERS = 900;

export function build() {
  return at("item").content.firstElementChild.cloneNode(true);
}

/** What to show of a message: its own text or, for others' messages, its translation. */
export function translation(message, language) {
  const text = language && message.translations?.[language];
  return text && text.trim() !== message.text.trim() ? text : null;
}

function element(name, className, text) {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

function button(text, action) {
  const made = element("button", "plain small", text);
  made.type = "button";
  made.tabIndex = -1;
  made.dataset.action = action;
  return made;
}

function icon(name) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  made.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#i-${name}`);
  made.append(use);
  return made;
}

/** Fill an item. `view`: mine, language, original (asked for), whole (not cut), change (under way), state, why. */
export function fill(item, message, view) {
  const find = (selector) => item.querySelector(selector);
  const name = tidyName(message.from) || "Somebody";
  item.classList.toggle("mine", view.mine);
  item.style.setProperty("--hue", String(hue(name)));
  find(".avatar").textContent = initial(name);
  find(".author").textContent = view.mine ? "You" : name;
  const time = find("time");
  const when = new Date(message.at);
  time.dateTime = when.toISOString();
  time.textContent = clock.format(when);
  time.title = whole.format(when);
  body(item, message, view);
  foot(find("footer"), message, view);
  find(".actions").hidden = !view.mine || message.deleted || Boolean(view.state) || Boolean(view.change);
}

function body(item, message, view) {
  const translated = view.mine ? null : translation(message, view.language);
  const text = view.change?.text ?? (translated && !view.original ? translated : message.text);
  const gone = message.deleted || view.change?.delete;
  const shown = item.querySelector(".text");
  const emoji = !gone && fewEmoji(text);
  const long = !gone && !view.whole && (text.length > MOST_LETTERS || text.split("\n").length > MOST_LINES);
  item.classList.toggle("gone-message", Boolean(gone));
  item.classList.toggle("emoji", emoji);
  item.classList.toggle("cut", long);
  shown.replaceChildren(...(gone ? ["Message deleted"] : nodes(text)));
  const language = translated && !view.original ? view.language : message.language;
  if (language && language !== "auto") shown.lang = language;
  else shown.removeAttribute("lang");
  item.querySelector(".bubble .more")?.remove();
  if (long) {
    const more = button("Show all of it", "whole");
    more.classList.add("more");
    item.querySelector(".bubble").append(more);
  }
}

function foot(footer, message, view) {
  const parts = [];
  if (message.edited && !message.deleted) parts.push(element("span", "", "edited"));
  if (view.change) parts.push(element("span", "", view.change.delete ? "deleting…" : "saving…"));
  if (!view.mine && !message.deleted && translation(message, view.language)) {
    const from = message.language && message.language !== "auto" ? ` from ${languageName(message.language)}` : "";
    parts.push(element("span", "", view.original ? "The original" : `Translated${from}`));
    parts.push(button(view.original ? "Show translation" : "Show original", "original"));
  }
  if (view.state) parts.push(...delivery(view));
  footer.replaceChildren(...parts);
  footer.hidden = parts.length === 0;
}

function delivery({ state, why }) {
  const said = element("span", `delivery ${state}`, "");
  if (state === "failed") {
    said.textContent = why ? `Not sent: ${why}` : "Not sent";
    return [said, button("Try again", "retry"), button("Remove", "remove")];
  }
  said.append(icon("clock"), state === "sending" ? "Sending…" : "Waiting to be sent");
  return [said];
}

/** The mark under the last of our messages that the server has. */
export function sent(footer) {
  const said = element("span", "delivery sent", "");
  said.append(icon("check"), "Sent");
  footer.append(said);
  footer.hidden = false;
}

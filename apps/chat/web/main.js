// Chat's page: enters a room, and lets the parts of the page know of each other.

import { Calls, Lost, Refused, Silent } from "./calls.js";
import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { Log } from "./log.js";
import { Changes, Outbox } from "./outbox.js";
import { People } from "./people.js";
import * as settings from "./settings.js";
import { cut, tidyName, tidyRoom } from "./text.js";
import { parse, Timeline } from "./timeline.js";
import { at, copy, languageName, note, say, State } from "./ui.js";
import { Unread } from "./unread.js";

const FIRST_ROOM = "lobby";
const MOST_SHOWN = 1000;
const LANGUAGES = ["ar", "ca", "da", "de", "en", "eo", "es", "fr", "gl", "hi", "it", "ja", "ko", "nb", "nl", "nn", "pl", "pt", "ro", "ru", "sv", "tr", "uk", "zh"];

/** Who we are, and where; `shown` is the room whose messages are shown. */
const me = { name: "", room: "", language: settings.get("language"), id: "" };
let shown = null;
let socketUrl = null;
let joins = 0;

export const connection = new Connection(address);
const calls = new Calls((message) => connection.send(message));
export const timeline = new Timeline(calls);
export const outbox = new Outbox(calls);
const changes = new Changes(calls);
export const log = new Log((message) => ({ mine: isMine(message), language: me.language, change: changes.get(shown, message.seq) }));
const people = new People();
const composer = new Composer();
const unread = new Unread(log);
const state = new State(connection);

const isMine = ({ id }) => id === me.id;

// ---- the wire

async function address() {
  if (socketUrl) return socketUrl;
  const given = new URLSearchParams(location.search).get("socket");
  const found = given ?? (await fetch("config.json", { cache: "no-cache" }).then((answer) => answer.json())).socket;
  const url = new URL(found, document.baseURI);
  url.protocol = url.protocol.replace("http", "ws");
  return (socketUrl = url.href);
}

const HANDLERS = {
  joined: () => {},
  history: () => {},
  message(frame) {
    const messages = list(frame.messages);
    for (const message of messages) {
      if (message.ref) outbox.arrived(message);
      if (message.ref) calls.answer(message.ref, frame);
      else if (!isMine(message)) told(message);
      people.typing(message.from, false);
    }
    timeline.take(messages);
  },
  changed(frame) {
    const message = parse(frame.message);
    if (!message) return;
    changes.arrived(shown, message, frame);
    timeline.change(message);
  },
  translated: (frame) => timeline.translated(frame),
  here: (frame) => people.set(frame.here, me),
  typing: (frame) => people.typing(frame.name, frame.typing === true),
  error: (frame) => frame.ref === undefined && note(String(frame.message ?? "Something went wrong")),
};

const list = (found) => (Array.isArray(found) ? found : []).filter((one) => parse(one));

connection.onmessage = (text) => {
  let frame;
  try {
    frame = JSON.parse(text);
  } catch {
    return;
  }
  if (!frame || typeof frame !== "object") return;
  // The gateway's own words, when a function failed: nobody says which request it was.
  if (frame.type === undefined && frame.message && frame.requestId) return calls.doubt();
  const isAnswer = frame.ref !== undefined && calls.answer(frame.ref, frame);
  if (!(isAnswer && frame.type === "error") && Object.hasOwn(HANDLERS, frame.type)) HANDLERS[frame.type](frame);
};
connection.onask = () => connection.send({ action: "ping" });
connection.onopen = () => join();
connection.onlost = () => {
  joins += 1;
  outbox.close();
  calls.lose();
  people.forget();
};
connection.onstate = () => state.show();
outbox.onsilence = () => connection.doubt();

// ---- entering a room

/** Tell the server who we are and where we want to be, and catch up with what was said there. */
async function join() {
  const turn = ++joins;
  const { name, room, language } = me;
  outbox.close();
  try {
    const request = { action: "updatedetails", room, name, token: settings.token(socketUrl, name), language: language || undefined };
    const joined = await calls.call(request).catch((error) => turn === joins && refused(error));
    if (turn !== joins || !joined) return;
    enter(joined);
    await (shown === room ? timeline.resume(joined.last) : show(room, joined.last));
    if (turn !== joins) return;
    connection.ready();
    changes.open(room);
    outbox.open(room);
  } catch (error) {
    if (turn === joins) failed(error);
  }
}

function enter(joined) {
  Object.assign(me, { id: joined.you, name: joined.name });
  settings.keepToken(socketUrl, me.name, joined.token);
  settings.setOurs("name", me.name);
  settings.setOurs("room", me.room);
  at("my-name").textContent = me.name;
  at("room-name").textContent = `#${me.room}`;
  const hash = `#${encodeURIComponent(me.room)}`;
  if (tidyRoom(decode(location.hash)) !== me.room) history.pushState(null, "", hash);
  people.set(joined.here, me);
  at("join").close();
  // On a phone the keyboard would cover what was said.
  if (matchMedia("(pointer: fine)").matches && !at("log").contains(document.activeElement)) composer.focus();
}

async function show(room, last) {
  composer.stop();
  shown = null;
  unread.forget();
  log.pend([]);
  await timeline.start(last);
  shown = unread.room = room;
  log.allAgain();
  log.pend(outbox.of(room));
  log.toBottom();
  beginning();
  const read = settings.lastRead(socketUrl, room);
  const news = timeline.after(read).filter((message) => !isMine(message));
  if (read && news.length) unread.since(news[0].seq, news.length);
  seen();
}

/** The server doesn't let us in: there is something to choose again. */
function refused(error) {
  if (!(error instanceof Refused)) throw error;
  connection.rest();
  ask(error);
}

/** What was said could not be fetched: from the beginning, after a while. */
function failed(error) {
  if (error instanceof Silent || error instanceof Refused) connection.drop();
  else if (!(error instanceof Lost)) throw error;
}

// ---- choosing a name and a room

const decode = (hash) => {
  try {
    return decodeURIComponent(hash);
  } catch {
    return hash;
  }
};

/** Ask who comes and where to; after a refusal, say why. */
function ask(error = null) {
  at("name").value = me.name || settings.ours("name");
  at("room-field").value = me.room || tidyRoom(decode(location.hash)) || settings.ours("room") || FIRST_ROOM;
  at("rooms").replaceChildren(...settings.rooms(socketUrl).map((room) => new Option(room)));
  at("join-close").hidden = shown === null || error !== null;
  at("join-button").disabled = false;
  at("join-state").textContent = "";
  complain(error);
  if (!at("join").open) at("join").showModal();
  at("name").focus();
  at("name").select();
}

function complain(error) {
  const taken = error?.code === "NameTaken";
  at("join-error").hidden = !error;
  at("name").ariaInvalid = String(taken);
  if (!error) return;
  const other = `${cut(me.name, 22)} ${2 + Math.floor(Math.random() * 8)}`;
  at("join-error").textContent = taken
    ? `Somebody in #${me.room} is called ${me.name} already. Try another name, such as ${other}.`
    : error.message;
}

function go(name, room) {
  Object.assign(me, { name, room });
  at("join-button").disabled = true;
  if (connection.isOpen) join();
  else if (connection.state === "off") connection.open();
  else connection.now();
}

at("join-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const [name, room] = [tidyName(at("name").value), tidyRoom(at("room-field").value)];
  at("name").value = name;
  at("room-field").value = room;
  if (!name || !room) return complain(new Refused({ message: name ? "Pick a room, with letters or digits." : "Pick a name." }));
  complain(null);
  go(name, room);
});
at("join").addEventListener("cancel", (event) => at("join-close").hidden && event.preventDefault());
at("join").addEventListener("close", () => me.id || ask());
at("join-close").onclick = () => at("join").close();
at("room").onclick = () => ask();
addEventListener("hashchange", () => {
  const room = tidyRoom(decode(location.hash));
  if (room && room !== me.room && me.name) go(me.name, room);
});

// ---- messages

/** A message of somebody else has come. */
function told(message) {
  if (timeline.get(message.seq)) return;
  say(`${tidyName(message.from)}: ${cut(message.text, 200)}`);
}

timeline.onput = (messages) => {
  const before = timeline.complete;
  const news = shown === null ? [] : messages.filter((message) => message.seq > before && !log.has(message.seq) && !isMine(message));
  log.put(messages);
  // Whoever scrolls back keeps what he has read.
  if (timeline.size > MOST_SHOWN && log.bottom && !timeline.loading) log.trim(timeline.trim(MOST_SHOWN / 2));
  if (news.length) unread.came(news[0].seq, news.length);
  seen();
};
timeline.onclear = () => log.clear();
timeline.onearlier = () => beginning();

function beginning() {
  at("earlier").hidden = !timeline.more;
  at("earlier").disabled = timeline.loading;
  at("earlier").textContent = timeline.loading ? "Loading…" : "Load earlier messages";
  at("beginning").hidden = timeline.more || shown === null;
  at("beginning").textContent = timeline.size || outbox.of(shown).length
    ? `Here begins #${shown}`
    : `Nothing is said in #${shown} yet. Say hello!`;
}

async function earlier() {
  if (!timeline.more || timeline.loading || connection.state !== "live") return;
  try {
    await timeline.earlier();
  } catch (error) {
    note(error instanceof Refused ? error.message : "Earlier messages could not be had. Try again.");
  }
}
at("earlier").onclick = earlier;
log.onearlier = () => shown !== null && earlier();

/** Keep in mind up to where all has been read. */
function seen() {
  if (unread.look() && shown !== null && timeline.complete) settings.keepRead(socketUrl, shown, timeline.complete);
}
log.onbottom = seen;
addEventListener("focus", seen);
document.addEventListener("visibilitychange", seen);

outbox.onchange = () => {
  log.pend(shown === null ? [] : outbox.of(shown));
  beginning();
};
changes.onchange = (seq) => log.again(seq);
changes.onrefused = (change, error) => error.code !== "Gone" && note(`Not changed: ${error instanceof Refused ? error.message : "no answer came"}`);

log.onaction = (action, subject) => {
  if (action === "edit") composer.edit(subject);
  if (action === "delete") sure(subject);
  if (action === "retry") outbox.retry(subject.ref);
  if (action === "remove") outbox.remove(subject.ref);
  if (action === "retry" || action === "remove") composer.focus();
};

function sure(message) {
  at("sure-text").textContent = cut(message.text, 200);
  at("sure").returnValue = "";
  at("sure").onclose = () => at("sure").returnValue === "delete" && changes.make(shown, message.seq, { delete: true });
  at("sure").showModal();
}

composer.onlast = () => timeline.last((message) => isMine(message) && !message.deleted && !changes.get(shown, message.seq));
composer.onedit = (message, text) => changes.make(shown, message.seq, { text });
composer.onsend = (text) => {
  log.divide(0);
  outbox.add(shown ?? me.room, text);
  log.toBottom();
};
composer.ontyping = (typing) => connection.state === "live" && connection.send({ action: "typing", typing });
addEventListener("beforeunload", (event) => outbox.size && event.preventDefault());

// ---- looks and languages

const dark = matchMedia("(prefers-color-scheme: dark)");
function theme() {
  const chosen = settings.get("theme");
  const isDark = chosen ? chosen === "dark" : dark.matches;
  document.documentElement.dataset.theme = chosen || "system";
  at("theme").ariaPressed = String(isDark);
  return isDark;
}
at("theme").onclick = () => {
  const chosen = theme() ? "light" : "dark";
  settings.set("theme", (chosen === "dark") === dark.matches ? "" : chosen);
  theme();
};
dark.addEventListener("change", theme);

function languages() {
  const names = LANGUAGES.map((code) => [languageName(code), code]).sort(([a], [b]) => a.localeCompare(b));
  at("language").replaceChildren(new Option("their own language", ""), ...names.map(([name, code]) => new Option(name, code)));
  at("language").value = me.language;
  at("language").onchange = () => {
    me.language = timeline.language = at("language").value;
    settings.set("language", me.language);
    language();
    log.allAgain();
    if (connection.isOpen && me.name) join();
  };
  language();
}

function language() {
  at("translate-code").textContent = me.language;
  at("translate-code").hidden = !me.language;
  at("translate-open").ariaLabel = me.language ? `Translate messages, now to ${languageName(me.language)}` : "Translate messages, now off";
}

at("link").onclick = async () => note((await copy(location.href)) ? "Link copied" : "The link could not be copied");

timeline.language = me.language;
theme();
languages();
state.show();
{
  const [name, room] = [tidyName(settings.ours("name")), tidyRoom(decode(location.hash)) || tidyRoom(settings.ours("room"))];
  if (name && room) go(name, room);
  else address().catch(() => {}).finally(() => ask());
}

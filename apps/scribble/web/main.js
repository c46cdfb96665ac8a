// Scribble's page: shows the picture, opens the socket, and lets its parts know of each other.

import { Board, hex, rgba } from "./board.js";
import { Connection } from "./connection.js";
import { Keyboard } from "./keyboard.js";
import { Outbox } from "./outbox.js";
import * as colours from "./palette.js";
import { download, fetchPicture } from "./picture.js";
import { Presence } from "./presence.js";
import { Replay } from "./replay.js";
import * as settings from "./settings.js";
import { SIZES, Tools } from "./tools.js";
import { at, copy, Meter, note, say, State } from "./ui.js";
import { placeOf, View } from "./view.js";
import { batches, cursors, parse, Pictures, unpack } from "./wire.js";

const SIDE = 1024;
/** A lost connection may have lost what was on its way: this much of what was seen last is asked for again. */
const OVERLAP = 5_000 * 4096;

const me = settings.remembered();
const mine = new Set();
let palette = colours.COLOURS;
let called = [];
let config = null;

const canvas = at("canvas");
export const board = new Board(SIDE, SIDE, rgba(palette[0]));
export const view = new View(canvas, board);
export const connection = new Connection(address);
export const outbox = new Outbox(board, (message) => connection.send(message));
const presence = new Presence(at("cursors"), view);
const tools = new Tools({ canvas, view, board, outbox });
const replay = new Replay(view);
const state = new State(connection);
const meter = new Meter(outbox, connection);
const pictures = new Pictures();

// ---- the wire

/** Frames are taken one after another, the first of them after the first picture. */
let turn;

async function address() {
  config ??= await fetch("config.json", { cache: "no-cache" }).then((answer) => answer.json());
  const url = new URL(config.socket, document.baseURI);
  url.protocol = url.protocol.replace("http", "ws");
  const since = Math.max(board.complete, board.newest - OVERLAP);
  if (since > 0) url.searchParams.set("since", String(since));
  if (me.name) url.searchParams.set("name", me.name);
  return url.href;
}

const HANDLERS = {
  welcome(frame) {
    mine.add(frame.you);
    if (board.resize(frame.width, frame.height)) {
      goToPlace(false);
      // A picture of another size says nothing of this one.
      if (board.forget()) connection.renew();
    }
    if (frame.palette.join() !== palette.join()) usePalette(frame.palette, frame.ink);
    outbox.limit(frame.rate);
  },
  points(frame) {
    if (frame.cursors) HANDLERS.cursors(frame);
    for (const { id, by, ref, points } of batches(frame)) {
      for (let i = 0; i < points.length; i += 3) {
        const [x, y, colour] = points.slice(i, i + 3);
        if (board.has(x, y) && colour < palette.length) board.set(x, y, outbox.colours[colour], id);
      }
      // Before `ready` something older may still be missing.
      if (connection.state === "live") board.newest = Math.max(board.newest, id);
      if (mine.has(by)) outbox.confirmed(ref);
      else if (points.length) presence.drew(by, points.at(-3), points.at(-2));
    }
  },
  async picture(frame) {
    const picture = await pictures.add(frame);
    if (!picture) return;
    if (board.resize(picture.width, picture.height)) goToPlace(false);
    board.apply(unpack(picture, palette), picture.id);
  },
  ready(frame) {
    board.complete = Math.max(board.complete, frame.id);
    board.newest = Math.max(board.newest, frame.id);
    connection.ready();
  },
  here() {},
  pong() {},
  cursors(frame) {
    for (const cursor of cursors(frame)) {
      if (cursor.x === null) presence.gone(cursor.id);
      else if (!mine.has(cursor.id)) presence.seen(cursor);
    }
  },
  error(frame) {
    const points = outbox.refused(frame.ref);
    note(points ? `Not drawn: ${frame.message}` : frame.message);
  },
  slow(frame) {
    outbox.slow(frame.ref, frame.retryAfter);
  },
  fault(frame) {
    console.debug("scribble: the gateway says", frame.message);
    outbox.doubt();
  },
};

/** Send what is not drawn. */
function aside(what) {
  if (connection.send({ action: "sendMessage", ...what })) outbox.spend();
}
outbox.onsilence = () => connection.doubt();
connection.onask = () => aside({ ping: connection.attempt });

connection.onmessage = (text) => {
  const frame = parse(text);
  if (!frame) return;
  const { attempt } = connection;
  const lasting = frame.type === "points" || frame.type === "picture";
  turn = turn
    .then(() => {
      if (attempt !== connection.attempt && !lasting) return undefined;
      if (Number.isSafeInteger(frame.here)) presence.count(frame.here);
      return HANDLERS[frame.type](frame);
    })
    .catch((error) => console.debug("scribble: a frame could not be taken", error));
};

connection.onstate = (now) => {
  outbox.trusted = now === "live";
  if (now === "live") outbox.open();
  else outbox.close();
  if (now === "waiting" || now === "offline") presence.clear();
  state.show();
  meter.show();
};

async function begin() {
  const picture = await fetchPicture();
  if (picture?.id) board.complete = picture.id;
  turn = Promise.resolve(picture?.body).then((image) => {
    if (image) {
      if (board.resize(image.width, image.height)) goToPlace(false);
      board.apply(image.words, picture.id ?? 0);
    } else if (picture?.id) {
      // The socket was opened in the belief that the picture would come.
      board.complete = 0;
      connection.renew();
    }
    document.body.classList.remove("loading");
  });
  connection.open();
}

// ---- colours, tools, sizes

function usePalette(next, ink) {
  palette = next;
  outbox.colours = Uint32Array.from(palette, rgba);
  const fallback = ink < palette.length ? ink : 1;
  choose(me.colour !== null && me.colour < palette.length ? me.colour : fallback, { quiet: true });
  called = colours.show(at("palette"), palette, tools.colour, choose);
}

function choose(index, { quiet = false } = {}) {
  if (!(index < palette.length)) return;
  tools.colour = index;
  if (!quiet) {
    me.colour = index;
    settings.remember(me);
    if (tools.tool !== "draw") useTool("draw");
    say(called[index]);
  }
  const radio = at("palette").querySelector(`[value="${index}"]`);
  if (radio) radio.checked = true;
  document.body.style.setProperty("--colour", palette[index]);
}

function useTool(tool) {
  tools.tool = tool;
  document.querySelector(`[name=tool][value=${tool}]`).checked = true;
  canvas.dataset.tool = tool;
  view.ask();
}

function useSize(size) {
  tools.resize(size);
  me.size = size;
  settings.remember(me);
  at("size").setAttribute("aria-label", `Brush size, now ${size}`);
  at("size-dot").style.setProperty("--dot", `${Math.min(22, 5 + size * 1.2)}px`);
  at("size-text").textContent = String(size);
  document.querySelector(`[name=size][value="${size}"]`).checked = true;
  view.ask();
}

function otherSize(step) {
  const next = SIZES[SIZES.indexOf(tools.size) + step];
  if (!next) return;
  useSize(next);
  say(`Brush size ${next}`);
}

function undo() {
  if (tools.undo()) say("Taken back");
}

// ---- the view

let hovered = null;
let moved = true;
let writing = null;

function goToPlace(smooth) {
  const place = placeOf(location.hash);
  if (place) view.moveTo(place.x, place.y, place.zoom, { smooth });
  else view.fit({ smooth });
}

function link() {
  const { x, y, zoom } = view;
  return `#${Math.round(x)},${Math.round(y)},${Number(zoom.toFixed(2))}`;
}

view.onmove = () => {
  moved = true;
  clearTimeout(writing);
  writing = setTimeout(() => history.replaceState(null, "", view.fitted ? location.pathname + location.search : link()), 400);
};

view.onframe = () => {
  if (moved) presence.place();
  moved = false;
  const cell = keyboard.cell ?? (hovered && view.toBoard(...hovered).map(Math.floor));
  const inside = cell && board.has(...cell) && !view.instead;
  const mark = at("brush");
  mark.hidden = !inside || (!keyboard.cell && (tools.tool === "pan" || tools.space));
  at("where").textContent = `${inside ? `${cell[0]}, ${cell[1]} · ` : ""}${Math.round(view.zoom * 100)} %`;
  if (mark.hidden) return;
  const side = tools.tool === "pick" ? 1 : tools.size;
  const from = Math.floor((side - 1) / 2);
  const [x, y] = view.toWindow(cell[0] - from, cell[1] - from);
  const width = side * view.zoom;
  const least = Math.max(width, keyboard.cell ? 12 : 6);
  mark.classList.toggle("cell", keyboard.cell !== null);
  mark.classList.toggle("round", side > 3 && !keyboard.cell);
  mark.style.width = mark.style.height = `${least}px`;
  mark.style.transform = `translate(${x - (least - width) / 2}px, ${y - (least - width) / 2}px)`;
};

tools.onpoint = (event) => {
  hovered = event && [event.clientX, event.clientY];
  view.ask();
  if (!event || connection.state !== "live") return;
  const cell = view.toBoard(...hovered).map(Math.floor);
  if (board.has(...cell)) presence.tell(...cell, (cursor) => aside({ cursor }));
};
tools.onpick = (word) => {
  const index = outbox.colours.indexOf(word);
  if (index < 0) note(`${hex(word)} is not in the palette`);
  else choose(index);
};
tools.onstroke = () => {
  at("undo").disabled = !tools.canUndo;
  if (me.drew) return;
  me.drew = at("hint").hidden = true;
  settings.remember(me);
};

/** The dock is below the picture, or in a low window beside it. */
const low = matchMedia("(max-height: 480px) and (min-width: 641px)");
const taken = ({ top, right }) => (low.matches ? { bottom: 0, left: right } : { bottom: innerHeight - top, left: 0 });

/** The panels' places, so that the picture fits between them. */
function measure() {
  const top = at("top").getBoundingClientRect();
  const dock = at("dock").getBoundingClientRect();
  // While the replay is there instead of the dock, the picture stays where it is.
  const { bottom, left } = dock.height ? taken(dock) : view.insets;
  view.insets = { top: top.bottom, right: 0, bottom, left };
  view.resize();
}

// ---- replay

const clock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

replay.onchange = () => {
  const { open, frames, index, playing } = replay;
  document.body.classList.toggle("replaying", open);
  at("replay").hidden = !open;
  if (!open) return;
  at("play").setAttribute("aria-label", playing ? "Pause" : "Play");
  at("play").dataset.playing = String(playing);
  at("time").max = String(frames.length - 1);
  at("time").value = String(index);
  const when = clock.format(frames[index].at);
  at("time").setAttribute("aria-valuetext", when);
  at("when").textContent = when;
};

async function toggleReplay() {
  if (replay.open) {
    endReplay();
    return;
  }
  at("replay-open").disabled = true;
  const begun = await replay.begin().catch(() => false);
  at("replay-open").disabled = false;
  if (begun) at("play").focus();
  else note("There is no history yet. It is kept from the first baked picture on.");
}

function endReplay() {
  replay.end();
  at("replay-open").focus();
}

// ---- people

function showPeople() {
  const { here, others } = presence;
  at("here").textContent = String(here || "–");
  at("people-open").setAttribute("aria-label", here === 1 ? "1 person here" : here ? `${here} people here` : "Who is here");
  for (const entry of [...at("others").children]) if (!others.has(entry.dataset.id)) entry.remove();
  const known = new Set([...at("others").children].map((entry) => entry.dataset.id));
  for (const [id, other] of others) if (!known.has(id)) at("others").append(person(id, other));
  at("nobody").hidden = others.size > 0;
}

/** An entry of the list, which leads to where that person is then. */
function person(id, other) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = other.name;
  button.onclick = () => {
    at("people").close();
    view.moveTo(other.x, other.y, Math.max(view.zoom, 6));
  };
  const entry = document.createElement("li");
  entry.dataset.id = id;
  entry.append(button);
  return entry;
}
presence.onchange = showPeople;

at("name-form").onsubmit = () => {
  const name = settings.tidy(at("name").value);
  if (!name || name === me.name) return;
  me.name = name;
  settings.remember(me);
  connection.renew();
};

// ---- buttons and keys

async function copyLink() {
  history.replaceState(null, "", link());
  note((await copy(location.href)) ? "Link to this place copied" : location.href);
}

function save() {
  view.redraw();
  board.flush();
  download(board.canvas);
}

function toggleGrid() {
  view.grid = !view.grid;
  view.redraw();
  say(view.grid ? "Grid on" : "Grid off");
}

const open = (id) => {
  if (id === "people") at("name").value = me.name;
  at(id).showModal();
};
const commands = {
  "+": () => view.zoomBy(2), "=": () => view.zoomBy(2), "-": () => view.zoomBy(0.5), f: () => view.fit(),
  b: () => useTool("draw"), x: () => useTool("erase"), i: () => useTool("pick"), h: () => useTool("pan"),
  "[": () => otherSize(-1), "]": () => otherSize(1), u: undo, g: toggleGrid, l: copyLink, s: save, p: toggleReplay,
  "?": () => open("help"), Escape: () => replay.open && endReplay(),
};
const start = () => view.toBoard(...(hovered ?? view.middle)).map(Math.floor);
const keyboard = new Keyboard({ canvas, board, view, tools, commands, choose, start });
keyboard.oncell = (cell) => {
  view.ask();
  if (cell) say(`${cell[0]}, ${cell[1]}, ${called[outbox.colours.indexOf(board.at(...cell))] ?? hex(board.at(...cell))}`);
};

for (const radio of document.querySelectorAll("[name=tool]")) radio.onchange = () => useTool(radio.value);
for (const radio of document.querySelectorAll("[name=size]")) radio.onchange = () => useSize(Number(radio.value));
for (const dialog of document.querySelectorAll("dialog")) {
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
}
at("keys").onchange = () => (keyboard.enabled = at("keys").checked);
at("undo").onclick = undo;
at("zoom-in").onclick = commands["+"];
at("zoom-out").onclick = commands["-"];
at("fit").onclick = commands.f;
at("people-open").onclick = () => open("people");
at("help-open").onclick = () => open("help");
at("link").onclick = copyLink;
at("invite").onclick = () => {
  at("people").close();
  copyLink();
};
at("save").onclick = save;
at("replay-open").onclick = toggleReplay;
at("replay-close").onclick = endReplay;
at("play").onclick = () => (replay.playing ? replay.pause() : replay.play());
at("time").oninput = () => {
  const index = Number(at("time").value);
  replay.pause();
  replay.show(index);
};
addEventListener("hashchange", () => goToPlace(true));
addEventListener("beforeunload", (event) => outbox.waiting && event.preventDefault());

at("hint").hidden = me.drew;
at("key-list").open = !matchMedia("(hover: none) and (pointer: coarse)").matches;
usePalette(palette);
useTool("draw");
useSize(SIZES.includes(me.size) ? me.size : 3);
new ResizeObserver(measure).observe(at("dock"));
addEventListener("resize", measure);
measure();
goToPlace(false);
state.show();
begin();

// The page to try topics in a browser. It takes the API's address from its own: ?WebSocketUrl=wss://…&PublishFunction=…
// Where the page's own origin speaks Lambda's API, as a local node does, the page can publish too.

import { PubSub } from "./pubsub.js";

const MOST_SHOWN = 200;
const given = new URLSearchParams(location.search);
const at = (id) => document.getElementById(id);
const topics = new Set();
let pubsub = null;

function show(state, text) {
  at("state").className = state;
  at("state").textContent = text;
}

function connect(url) {
  pubsub?.close();
  topics.clear();
  at("topics").replaceChildren();
  show("", "connecting…");
  const mine = new PubSub(url);
  pubsub = mine;
  mine.addEventListener("open", () => show("open", "connected"));
  mine.addEventListener("close", () => mine === pubsub && show("error", "connection lost, trying again…"));
  mine.addEventListener("error", (event) => show("error", event.message));
}

function subscribe(topic) {
  if (!pubsub || topics.has(topic)) return;
  topics.add(topic);
  const confirmed = pubsub.subscribe(topic, (body, message) => add(message));
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = `${topic} ✕`;
  button.setAttribute("aria-label", `Unsubscribe from ${topic}`);
  const entry = document.createElement("li");
  entry.append(button);
  entry.setAttribute("aria-busy", "true");
  confirmed.then(() => entry.removeAttribute("aria-busy"));
  button.onclick = () => {
    pubsub.unsubscribe(topic);
    topics.delete(topic);
    entry.remove();
  };
  at("topics").append(entry);
}

function add(message) {
  const entry = document.createElement("li");
  const time = document.createElement("time");
  time.dateTime = message.at;
  time.textContent = new Date(message.at).toLocaleTimeString();
  const topic = document.createElement("span");
  topic.className = "topic";
  topic.textContent = message.topic;
  const body = document.createElement("div");
  body.className = "body";
  body.textContent = typeof message.body === "string" ? message.body : JSON.stringify(message.body);
  entry.append(time, topic, body);
  at("messages").prepend(entry);
  while (at("messages").children.length > MOST_SHOWN) at("messages").lastChild.remove();
  at("empty").hidden = true;
}

async function publish(topic, body) {
  const path = `/2015-03-31/functions/${encodeURIComponent(given.get("PublishFunction"))}/invocations`;
  const answer = await fetch(path, { method: "POST", body: JSON.stringify({ topic, body }) });
  const result = await answer.json();
  at("published").textContent =
    result.delivered === undefined ? `refused: ${result.errorMessage ?? result.message}` : `delivered to ${result.delivered}`;
}

at("connect").onsubmit = (event) => {
  event.preventDefault();
  connect(at("url").value);
};
at("subscribe").onsubmit = (event) => {
  event.preventDefault();
  subscribe(at("topic").value.trim());
};
at("publish").onsubmit = (event) => {
  event.preventDefault();
  publish(at("to").value.trim(), at("body").value);
};

if (given.has("PublishFunction")) {
  at("publish").hidden = false;
  at("command").textContent = at("command").textContent.replace("…", given.get("PublishFunction"));
}
if (given.has("WebSocketUrl")) {
  at("url").value = given.get("WebSocketUrl");
  connect(at("url").value);
}

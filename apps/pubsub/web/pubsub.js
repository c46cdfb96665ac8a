// A small client: topics over one WebSocket, which comes back when it is lost. For browsers and Node.js 22 or newer
// (older: pass {WebSocket} of the ws package).
//
//   const pubsub = new PubSub("wss://…/production");
//   await pubsub.subscribe("scores/*", (body, message) => …);
//   pubsub.close();

const FIRST_DELAY = 250;
const LONGEST_DELAY = 10_000;

export class PubSub extends EventTarget {
  #url;
  #WebSocket;
  #socket = null;
  #topics = new Map(); // topic -> {handlers: Set, waiting: [{resolve, reject}]}
  #delay = FIRST_DELAY;
  #closed = false;
  #timer = null;

  constructor(url, { WebSocket = globalThis.WebSocket } = {}) {
    super();
    this.#url = url;
    this.#WebSocket = WebSocket;
    this.#open();
  }

  get connected() {
    return this.#socket?.readyState === 1;
  }

  /** Resolves with the last messages once the server has the subscription. `handler(body, message)` gets those too. */
  subscribe(topic, handler) {
    const entry = this.#topics.get(topic) ?? { handlers: new Set(), waiting: [] };
    this.#topics.set(topic, entry);
    entry.handlers.add(handler);
    return new Promise((resolve, reject) => {
      entry.waiting.push({ resolve, reject });
      if (this.connected) this.#send({ action: "subscribe", topic });
    });
  }

  unsubscribe(topic) {
    if (this.#topics.delete(topic) && this.connected) this.#send({ action: "unsubscribe", topic });
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.close(1000);
  }

  #open() {
    const socket = new this.#WebSocket(this.#url);
    this.#socket = socket;
    socket.onopen = () => {
      this.#delay = FIRST_DELAY;
      for (const topic of this.#topics.keys()) this.#send({ action: "subscribe", topic });
      this.dispatchEvent(new Event("open"));
    };
    socket.onmessage = (event) => this.#receive(JSON.parse(event.data));
    socket.onerror = () => {};
    socket.onclose = () => {
      this.dispatchEvent(new Event("close"));
      if (this.#closed) return;
      this.#timer = setTimeout(() => this.#open(), this.#delay * (0.5 + Math.random() / 2));
      this.#delay = Math.min(this.#delay * 2, LONGEST_DELAY);
    };
  }

  #send(message) {
    this.#socket.send(JSON.stringify(message));
  }

  #receive(message) {
    if (message.type === "message") {
      for (const [topic, entry] of this.#topics) {
        if (matches(topic, message.topic)) entry.handlers.forEach((handler) => handler(message.body, message));
      }
    } else if (message.type === "subscribed") {
      const entry = this.#topics.get(message.topic);
      if (!entry) return;
      for (const last of message.last) entry.handlers.forEach((handler) => handler(last.body, last));
      entry.waiting.splice(0).forEach(({ resolve }) => resolve(message.last));
    } else if (message.type === "error") {
      const event = new Event("error");
      event.message = message.message;
      this.dispatchEvent(event);
    }
  }
}

/** Whether a subscription to `pattern` gets messages of `topic`. */
export function matches(pattern, topic) {
  if (pattern === "*") return !topic.startsWith("$");
  if (pattern.endsWith("/*")) return topic.startsWith(pattern.slice(0, -1));
  return pattern === topic;
}

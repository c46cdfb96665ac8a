// Loaded before a Node.js function: hosts of AWS lead to the node, whatever library connects to them. Node's own clients
// and its SDK honour no proxy variable, so the way is laid in the socket; TLS goes on naming the host it was asked for,
// and trusts the node's authority by NODE_EXTRA_CA_CERTS.
"use strict";

const net = require("node:net");

const node = new URL(process.env._CLOUDLET_URL);
delete process.env._CLOUDLET_URL;
const AWS = /\.(amazonaws\.com(\.cn)?|api\.aws|on\.aws)$/i;

function aim(options) {
  const host = options.host;
  if (typeof host !== "string" || options.path) return options;
  if (AWS.test(host) && [80, 443].includes(Number(options.port))) {
    return { ...options, host: node.hostname, port: Number(node.port), lookup: undefined };
  }
  if (/\.localhost$/i.test(host)) return { ...options, host: "127.0.0.1" };
  return options;
}

const connect = net.Socket.prototype.connect;

net.Socket.prototype.connect = function (...args) {
  if (Array.isArray(args[0])) {
    // Node passes its own calls on as one normalized array, marked by a symbol.
    args[0][0] = aim(args[0][0]);
  } else if (typeof args[0] === "object" && args[0] !== null) {
    args[0] = aim(args[0]);
  } else if (typeof args[1] === "string") {
    const aimed = aim({ port: args[0], host: args[1] });
    args[0] = aimed.port;
    args[1] = aimed.host;
  }
  return connect.apply(this, args);
};

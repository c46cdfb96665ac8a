// A Node.js function's worker. It speaks the frames that python_worker.py describes, on descriptor 3, and writes its
// output to descriptor 1; a log record of many lines has NUL before each newline within.
"use strict";

const fs = require("node:fs");
const net = require("node:net");
const path = require("node:path");
const util = require("node:util");
const { pathToFileURL } = require("node:url");
const { Writable } = require("node:stream");

const MAX_RESPONSE = 6291556;
const STREAMING = Symbol("streaming");
const channel = new net.Socket({ fd: 3, readable: true, writable: true });

let requestId;
let current = null; // the invocation that runs: { done }

// Frames

function send(kind, ...parts) {
  const body = Buffer.concat(parts);
  const head = Buffer.allocUnsafe(5);
  head.writeUInt32BE(body.length + 1);
  head.write(kind, 4, "latin1");
  channel.write(Buffer.concat([head, body]));
}

function memory() {
  const kb = Buffer.alloc(8);
  kb.writeBigUInt64BE(BigInt(process.resourceUsage().maxRSS));
  return kb;
}

let received = Buffer.alloc(0);

function onData(data) {
  received = received.length ? Buffer.concat([received, data]) : data;
  while (received.length >= 4) {
    const size = received.readUInt32BE() + 4;
    if (received.length < size) return;
    const frame = received.subarray(5, size);
    received = received.subarray(size);
    onInvocation(frame);
  }
}

// Output

function write(fd, text) {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += fs.writeSync(fd, bytes, at);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1); // the pipe is full; the node reads it
    }
  }
}

function log(level, message) {
  const line = `${new Date().toISOString()}\t${requestId}\t${level}\t${message}`;
  write(1, line.replace(/\n+$/, "").replace(/\n/g, "\0\n") + "\n");
}

for (const [name, level] of Object.entries({
  log: "INFO", info: "INFO", debug: "DEBUG", warn: "WARN", error: "ERROR", trace: "TRACE",
})) {
  console[name] = (...args) => log(level, util.format(...args));
}

// Errors

const TASK = path.join(process.env.LAMBDA_TASK_ROOT, "/");

// Files as AWS's runtime names them.
function told(text) {
  return text.replaceAll(TASK, "/var/task/").replaceAll(__filename, "/var/runtime/index.mjs");
}

// The lines of a stack without those of this file and below.
function stackOf(error) {
  const lines = String(error.stack ?? "").split("\n");
  const own = lines.findIndex((line) => /^\s+at /.test(line) && line.includes(__filename));
  return (own < 0 ? lines : lines.slice(0, own)).map(told);
}

function isError(value) {
  return value instanceof Error || util.types.isNativeError(value);
}

function described(error) {
  try {
    if (isError(error)) {
      return { errorType: error.name?.replace(/\x7F/g, "%7F"), errorMessage: error.message, trace: stackOf(error) };
    }
    return { errorType: typeof error, errorMessage: String(error), trace: [] };
  } catch {
    return { errorType: "handled", errorMessage: "callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack" };
  }
}

function logError(title, error) {
  const seen = isError(error)
    ? { errorType: error.name ?? "UnknownError", errorMessage: error.message, ...error, stack: stackOf(error) }
    : { errorType: typeof error, errorMessage: String(error), stack: [] };
  log("ERROR", `${title}\t${JSON.stringify(seen)}`);
}

class RuntimeError extends Error {
  constructor(type, message, stack) {
    super(message);
    this.name = `Runtime.${type}`;
    if (stack) this.stack = stack;
  }
}

// The handler

async function loadHandler(handler) {
  const root = process.env.LAMBDA_TASK_ROOT;
  const base = path.basename(handler);
  const match = /^([^.]*)\.(.*)$/.exec(base);
  if (!match || handler.includes("..")) {
    throw new RuntimeError("MalformedHandlerName", handler.includes("..")
      ? `'${handler}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`
      : "Bad handler");
  }
  const [, name, expression] = match;
  const module = await loadModule(root, path.join(root, handler.slice(0, handler.length - base.length)), name);
  const found = expression.split(".").reduce((nested, key) => nested?.[key], module)
    ?? expression.split(".").reduce((nested, key) => nested?.[key], module?.default);
  if (found === undefined) throw new RuntimeError("HandlerNotFound", `${handler} is undefined or not exported`);
  if (typeof found !== "function") throw new RuntimeError("HandlerNotFound", `${handler} is not a function`);
  return found;
}

async function loadModule(root, folder, name) {
  const full = path.resolve(folder, name);
  try {
    for (const file of [full, `${full}.js`, `${full}.mjs`, `${full}.cjs`]) {
      if (!fs.existsSync(file) || fs.statSync(file).isDirectory()) continue;
      const asModule = file.endsWith(".mjs") || (file.endsWith(".js") && isModulePackage(root, path.dirname(file)));
      return asModule ? await import(pathToFileURL(file)) : require(file);
    }
    return require(require.resolve(name, { paths: [root, folder] }));
  } catch (error) {
    if (error instanceof SyntaxError) throw new RuntimeError("UserCodeSyntaxError", `SyntaxError: ${error.message}`, error.stack);
    if (error?.code === "MODULE_NOT_FOUND" || error?.code === "ERR_MODULE_NOT_FOUND") {
      throw new RuntimeError("ImportModuleError", told(`Error: ${error.message}`), error.stack);
    }
    throw error;
  }
}

function isModulePackage(root, folder) {
  for (let at = folder; at.startsWith(root); at = path.dirname(at)) {
    const file = path.join(at, "package.json");
    if (fs.existsSync(file)) return JSON.parse(fs.readFileSync(file, "utf8")).type === "module";
  }
  return false;
}

// A streaming handler's response is collected and given as a whole.
globalThis.awslambda = {
  streamifyResponse(handler) {
    handler[STREAMING] = true;
    return handler;
  },
  HttpResponseStream: {
    from(stream, prelude) {
      stream.setContentType("application/vnd.awslambda.http-integration-response");
      stream.write(JSON.stringify(prelude));
      stream.write(Buffer.alloc(8));
      return stream;
    },
  },
};

// Invocations

function onInvocation(frame) {
  const fields = [];
  let at = 0;
  for (let n = 0; n < 6; n++) {
    const end = frame.indexOf(0, at);
    fields.push(frame.toString("utf8", at, end));
    at = end + 1;
  }
  const [id, deadline, arn, trace, client, identity] = fields;
  requestId = id;
  process.env._X_AMZN_TRACE_ID = trace;
  const done = (error, result) => {
    if (current?.done !== done) return; // a late second answer
    current = null;
    channel.ref();
    finish(error, result);
  };
  current = { done, waiting: undefined };
  channel.unref(); // so that an event loop which the function has emptied is seen
  run(frame.toString("utf8", at), contextOf(id, Number(deadline), arn, client, identity, done), done);
}

function finish(error, result) {
  if (error) {
    send("E", memory(), Buffer.from(JSON.stringify(described(error.error))));
    return;
  }
  if (Buffer.isBuffer(result?.[STREAMING])) {
    send("R", memory(), result[STREAMING]);
    return;
  }
  let text;
  try {
    text = JSON.stringify(result === undefined ? null : result);
    if (text === undefined) text = "null";
  } catch (problem) {
    const failure = new RuntimeError("UnserializableResponse", "Unable to stringify response body");
    logError("Invoke Error ", problem);
    send("E", memory(), Buffer.from(JSON.stringify(described(failure))));
    return;
  }
  const body = Buffer.from(text);
  if (body.length > MAX_RESPONSE) {
    send("E", memory(), Buffer.from(JSON.stringify({
      errorType: "Function.ResponseSizeTooLarge",
      errorMessage: `Response payload size exceeded maximum allowed payload size (${MAX_RESPONSE} bytes).`,
    })));
    return;
  }
  send("R", memory(), body);
}

function contextOf(id, deadline, arn, client, identity, done) {
  const env = process.env;
  const invocation = current;
  const context = {
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: client ? JSON.parse(client) : undefined,
    identity: identity ? JSON.parse(identity) : undefined,
    invokedFunctionArn: arn,
    awsRequestId: id,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
    done: (error, result) => callback(error, result),
    fail: (error) => callback(error ?? "handled"),
    succeed: (result) => {
      context.callbackWaitsForEmptyEventLoop = false;
      callback(null, result);
    },
  };
  const callback = (error, result) => {
    const failed = error === undefined || error === null ? null : { error };
    if (failed) {
      logError("Invoke Error ", error);
      done(failed);
    } else if (context.callbackWaitsForEmptyEventLoop) {
      invocation.waiting ??= () => done(null, result);
    } else {
      setImmediate(done, null, result);
    }
  };
  return [context, callback];
}

function run(payload, [context, callback], done) {
  const fail = (error) => {
    logError("Invoke Error ", error);
    done({ error });
  };
  try {
    const event = JSON.parse(payload);
    if (handle[STREAMING]) {
      stream(event, context, done, fail);
      return;
    }
    const result = handle(event, context, callback);
    if (typeof result?.then === "function") result.then((value) => done(null, value), fail);
  } catch (error) {
    fail(error);
  }
}

function stream(event, context, done, fail) {
  const chunks = [];
  const sink = new Writable({
    write(chunk, encoding, next) {
      chunks.push(chunk);
      next();
    },
  });
  sink.setContentType = () => {};
  sink.on("finish", () => done(null, { [STREAMING]: Buffer.concat(chunks) }));
  Promise.resolve(handle(event, sink, context)).catch(fail);
}

let handle;

process.on("beforeExit", () => {
  if (!current) return;
  if (current.waiting) current.waiting();
  else current.done(null, null); // nothing will ever call back
});

function die(error, title, status) {
  logError(title, error);
  const body = Buffer.from(JSON.stringify(described(error)));
  channel.ref();
  if (handle) send("F", memory(), body);
  else send("x", body);
  channel.end(() => process.exit(status));
}

process.on("uncaughtException", (error) => die(error, "Uncaught Exception ", 129));
process.on("unhandledRejection", (reason) => {
  const error = new RuntimeError("UnhandledPromiseRejection", String(reason), reason?.stack);
  error.reason = reason;
  die(error, "Unhandled Promise Rejection ", 128);
});

channel.on("end", () => process.exit(0));
channel.on("error", () => process.exit(0));

loadHandler(process.env._HANDLER).then(
  (found) => {
    handle = found;
    channel.on("data", onData);
    send("i");
  },
  (error) => die(error, "Uncaught Exception ", 129),
);

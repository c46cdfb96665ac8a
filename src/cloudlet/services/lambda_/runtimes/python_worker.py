"""A Python function's worker: what runs in the process that the zygote forked. Standard library only.

It speaks frames on its channel, each 4 bytes of length (big-endian, of what follows), 1 byte of kind, and a body:

    node -> worker   "I"  request id, deadline, arn, trace id, client context, identity, payload: joined by NUL
    worker -> node   "i"  ready, after the handler was imported; the memory in KB that it shared from the beginning
                     "x"  could not start; the body is the error as JSON
                     "R"  8 bytes of memory in KB, then the result as JSON
                     "E"  8 bytes of memory in KB, then the error as JSON
                     "F"  the same, and the worker is about to exit

Output goes to descriptor 1, a pipe. There a line that ends with NUL goes on in the next one: so a log record of many
lines stays one event, as with AWS's own telemetry frames. Texts and shapes of errors are those of AWS's runtime.
"""

from __future__ import annotations

import decimal
import importlib
import io
import json
import logging
import math
import os
import resource
import socket
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

OLDER = ("python3.8", "python3.9", "python3.10", "python3.11")


class Fault(Exception):
    """An error of the contract between function and runtime, with AWS's type."""

    def __init__(self, type: str, message: str, trace: list[str] | None = None) -> None:
        super().__init__(message)
        self.type = type
        self.trace = trace or []


class _Fields:
    _fields: tuple[str, ...] = ()

    def __init__(self, values: dict[str, Any]) -> None:
        for name in self._fields:
            setattr(self, name, values.get(name))


class CognitoIdentity(_Fields):
    _fields = ("cognito_identity_id", "cognito_identity_pool_id")


class Client(_Fields):
    _fields = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")


class ClientContext(_Fields):
    _fields = ("custom", "env", "client")
    client: Any

    def __init__(self, values: dict[str, Any]) -> None:
        super().__init__(values)
        if self.client is not None:
            self.client = Client(self.client)


class LambdaContext:
    """The handler's second argument."""

    def __init__(
        self, request_id: str, deadline: int, arn: str, client_context: bytes, identity: bytes
    ) -> None:
        env = os.environ
        self.aws_request_id = request_id
        self.invoked_function_arn = arn
        self.function_name = env.get("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = env.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = env.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name = env.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = env.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.client_context = _parsed(client_context, "Client Context", ClientContext)
        who = _parsed(identity, "Cognito Identity", dict) or {}
        self.identity = CognitoIdentity(
            {
                "cognito_identity_id": who.get("cognitoIdentityId"),
                "cognito_identity_pool_id": who.get("cognitoIdentityPoolId"),
            }
        )
        self._deadline = deadline

    def get_remaining_time_in_millis(self) -> int:
        return max(0, self._deadline - int(time.time() * 1000))

    def log(self, message: object) -> None:
        write_event(str(message))

    def __repr__(self) -> str:
        return f"LambdaContext([aws_request_id={self.aws_request_id},function_name={self.function_name}])"


def _parsed(raw: bytes, name: str, make: Callable[[dict[str, Any]], Any]) -> Any:
    if not raw:
        return None
    try:
        return make(json.loads(raw))
    except Exception as error:
        raise Fault("Runtime.LambdaContextUnmarshalError", f"Unable to parse {name} JSON: {error}") from error


class Current:
    """The request that runs, for log lines."""

    request_id = ""


class Code:
    """Where the function's code lies, and how AWS's runtime names the place: traces tell the latter."""

    folder = ""
    ascii = False

    @classmethod
    def told(cls, text: str) -> str:
        return text.replace(cls.folder, "/var/task/") if cls.folder else text


class LogFormatter(logging.Formatter):
    def formatException(self, ei: Any) -> str:
        return Code.told(super().formatException(ei))


class Base:
    """The modules that the runtime itself stands on; a function's own of that name come too late, in AWS as well."""

    modules: frozenset[str] = frozenset()


class LogHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        record.aws_request_id = Current.request_id
        write_event(self.format(record))


def write_event(text: str) -> None:
    """One log event, however many lines it has."""
    sys.stdout.write(text.rstrip("\n").replace("\n", "\0\n") + "\n")


def main(channel: socket.socket, spec: dict[str, Any]) -> NoReturn:
    worker = Worker(channel, memory())
    set_up(spec)
    try:
        handler = load_handler(spec["handler"])
    except Fault as fault:
        worker.fail_init(error_of(str(fault), fault.type, fault.trace))
    except Exception as error:
        worker.fail_init(error_from(error))
    except SystemExit as error:
        exit_with(error)
    else:
        try:
            worker.run(handler)
        except SystemExit as error:
            exit_with(error)
        except BaseException as error:
            log_error(error_from(error, Current.request_id))
            sys.stdout.flush()
    os._exit(1)


def set_up(spec: dict[str, Any]) -> None:
    os.environ.clear()
    os.environ.update(spec["env"])
    time.tzset()
    code, layers, own = spec["cwd"], spec["layers"], spec["path"]
    Code.folder = os.path.join(code, "")
    Code.ascii = os.environ.get("AWS_EXECUTION_ENV", "").endswith(OLDER)
    asked = [os.path.abspath(entry) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    front = list(dict.fromkeys([code, *(entry for entry in asked if entry not in own), *layers]))
    sys.path[:] = front + [entry for entry in sys.path if entry and entry not in front]
    sys.argv = [os.path.join(own[0] if own else code, "bootstrap")]
    sys.pycache_prefix = spec["pycache"]
    sys.dont_write_bytecode = False
    forget_shadowed([folder for folder in front if os.path.isdir(folder)], own)
    for number in (1, 2):
        stream = io.TextIOWrapper(
            io.FileIO(number, "w", closefd=False), encoding="utf-8", errors="backslashreplace", line_buffering=True,
            write_through=False,
        )  # fmt: skip
        setattr(sys, "stdout" if number == 1 else "stderr", stream)
    logging.Formatter.converter = time.gmtime
    handler = LogHandler()
    handler.setFormatter(
        LogFormatter(
            "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S"
        )
    )
    logging.getLogger().addHandler(handler)
    redirect(spec["endpoint"])


def forget_shadowed(folders: list[str], own: list[str]) -> None:
    """What a function brings itself comes before what the zygote has loaded. If it brings boto3 or a part of it, all of
    that is loaded anew, since the parts belong together."""
    brought = {name.removesuffix(".py") for folder in folders for name in os.listdir(folder)}
    family = {name.partition(".")[0] for name, module in sys.modules.items() if is_under(module, own)}
    again = (brought & sys.modules.keys()) - Base.modules
    if again & family:
        again |= family
    for name in [name for name in sys.modules if name.partition(".")[0] in again]:
        del sys.modules[name]


def is_under(module: Any, folders: list[str]) -> bool:
    file = getattr(module, "__file__", None) or ""
    return any(file.startswith(folder + os.sep) for folder in folders)


def redirect(endpoint: str) -> None:
    """Names of AWS lead to the node at the level of name resolution, for whatever library asks in this process.

    boto3 also loses the TLS on that way: loading the authorities costs 20 ms for each client that is made, and the
    request stays signed for the host it names.
    """
    address = endpoint.partition("://")[2]
    host, _, port = address.rpartition(":")
    resolve = socket.getaddrinfo

    def getaddrinfo(name: Any, service: Any, *args: Any, **kwargs: Any) -> Any:
        text = name.decode("ascii", "replace") if isinstance(name, bytes) else name
        if isinstance(text, str):
            if is_aws(text) and service in (80, 443, "80", "443", "http", "https"):
                return resolve(host, int(port), *args, **kwargs)
            if text.endswith(".localhost"):
                return resolve(host, service, *args, **kwargs)
        return resolve(name, service, *args, **kwargs)

    vars(socket)["getaddrinfo"] = getaddrinfo
    Redirect.base = endpoint


class Redirect:
    """Where boto3's requests go, set in the worker; the handler itself is registered in the zygote."""

    base = ""

    @classmethod
    def before_send(cls, request: Any, **_: Any) -> None:
        scheme, _, rest = request.url.partition("://")
        authority, slash, path = rest.partition("/")
        if cls.base and scheme == "https" and is_aws(authority.partition(":")[0]):
            request.headers["Host"] = authority
            request.url = f"{cls.base}{slash}{path}"


def is_aws(host: str) -> bool:
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".on.aws"))


def load_handler(handler: str) -> Callable[[Any, Any], Any]:
    try:
        module_name, function = handler.rsplit(".", 1)
    except ValueError as error:
        raise Fault("Runtime.MalformedHandlerName", f"Bad handler '{handler}': {error}") from error
    if module_name.partition(".")[0] in sys.builtin_module_names:
        raise Fault(
            "Runtime.BuiltInModuleConflict", f"Cannot use built-in module {module_name} as a handler module"
        )
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise Fault(
            "Runtime.ImportModuleError", Code.told(f"Unable to import module '{module_name}': {error}")
        ) from error
    except SyntaxError as error:
        trace = [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}']
        message = f"Syntax error in module '{module_name}': {error}"
        raise Fault("Runtime.UserCodeSyntaxError", message, trace) from error
    try:
        found: Callable[[Any, Any], Any] = getattr(module, function)
    except AttributeError as error:
        raise Fault(
            "Runtime.HandlerNotFound", f"Handler '{function}' missing on module '{module_name}'"
        ) from error
    return found


class Worker:
    def __init__(self, channel: socket.socket, shared: bytes) -> None:
        self.channel = channel
        self.shared = shared
        self.buffer = b""

    def send(self, kind: bytes, *parts: bytes) -> None:
        body = b"".join(parts)
        sys.stdout.flush()
        sys.stderr.flush()
        self.channel.sendall((len(body) + 1).to_bytes(4, "big") + kind + body)

    def fail_init(self, error: dict[str, Any]) -> NoReturn:
        log_error(error)
        self.send(b"x", encode(error))
        os._exit(1)

    def run(self, handler: Callable[[Any, Any], Any]) -> NoReturn:
        self.send(b"i", self.shared)
        while True:
            fields = self.next()
            kind, result = self.handle(handler, *fields)
            self.send(kind, memory(), result)

    def next(self) -> list[bytes]:
        buffer = self.buffer or self.receive()
        while len(buffer) < 4:
            buffer += self.receive()
        size = int.from_bytes(buffer[:4], "big") + 4
        if len(buffer) < size:
            parts, have = [buffer], len(buffer)
            while have < size:
                parts.append(self.receive())
                have += len(parts[-1])
            buffer = b"".join(parts)
        self.buffer = buffer[size:]
        return buffer[5:size].split(b"\0", 6)

    def receive(self) -> bytes:
        data = self.channel.recv(262144)
        if not data:
            os._exit(0)  # the node is gone
        return data

    def handle(
        self, handler: Callable[[Any, Any], Any], id: bytes, deadline: bytes, arn: bytes, trace_id: bytes,
        client_context: bytes, identity: bytes, payload: bytes,
    ) -> tuple[bytes, bytes]:  # fmt: skip
        Current.request_id = request_id = id.decode()
        os.environ["_X_AMZN_TRACE_ID"] = trace_id.decode()
        try:
            context = LambdaContext(request_id, int(deadline), arn.decode(), client_context, identity)
            result = handler(decode(payload), context)
            return b"R", marshal(result)
        except Fault as fault:
            error = error_of(str(fault), fault.type, fault.trace, request_id)
        except Exception as problem:
            error = error_from(problem, request_id)
        log_error(error)
        return b"E", encode(error)


def decode(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except Exception as error:
        raise Fault("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}") from error


def marshal(result: Any) -> bytes:
    if isinstance(result, bytes):
        return result
    try:
        return encode(result)
    except Exception as error:
        raise Fault("Runtime.MarshalError", f"Unable to marshal response: {error}") from error


def plain(value: Any) -> Any:
    if isinstance(value, decimal.Decimal):
        if value.is_nan():
            return math.nan
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


_ascii = json.JSONEncoder(default=plain)
_encoder = json.JSONEncoder(default=plain, ensure_ascii=False)


def encode(value: Any) -> bytes:
    """Up to Python 3.11 the runtime escapes what isn't ASCII, since 3.12 it doesn't."""
    return (_ascii if Code.ascii else _encoder).encode(value).encode()


def memory() -> bytes:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss.to_bytes(8, "big")


def error_of(message: str, type: str, trace: list[str], request_id: str = "") -> dict[str, Any]:
    return {
        "errorMessage": message,
        "errorType": type,
        "requestId": request_id,
        "stackTrace": [*map(Code.told, trace)],
    }


def error_from(error: BaseException, request_id: str = "") -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)
    own = os.path.dirname(os.path.abspath(__file__))
    while frames and (frames[0].filename.startswith(own + os.sep) or "importlib" in frames[0].filename):
        del frames[0]
    trace = traceback.format_list([(f.filename, f.lineno or 0, f.name, f.line) for f in frames])
    return error_of(str(error), type(error).__name__, trace, request_id)


def log_error(error: dict[str, Any]) -> None:
    lines = [
        f"[ERROR] {error['errorType']}: {error['errorMessage']}".removesuffix(": "),
        "Traceback (most recent call last):",
    ]
    for entry in error["stackTrace"]:
        lines += entry.splitlines()
    write_event("\n".join(lines))


def exit_with(error: SystemExit) -> NoReturn:
    """sys.exit in a function ends its process, as everywhere."""
    code = error.code
    if code is not None and not isinstance(code, int):
        print(code, file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0 if code is None else code & 0xFF if isinstance(code, int) else 1)

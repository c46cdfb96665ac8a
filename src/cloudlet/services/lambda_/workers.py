"""The workers of all functions: the long-lived part of the service "lambda".

`invoke` admits a call (reserved and account concurrency), gives it to an idle worker of the function's pool, or queues
it and starts one. A worker runs one invocation at a time; a call that waits takes whichever worker is free first.
Pools are per function, version and revision; a new revision retires the old one's workers.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import random
import secrets
import shutil
import weakref
from collections import deque
from collections.abc import Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from cloudlet.context import Context, Node
from cloudlet.errors import AwsError, UserError

from . import layers_public, model, runtimes
from .layers_public import Package
from .logsink import LogSink
from .pace import Pace
from .runtime_api import RuntimeApi
from .runtimes import Language, install
from .runtimes.credentials import CredentialCache
from .runtimes.environment import Place, environment, opt_layers, python_layers
from .runtimes.once import Once
from .runtimes.process import Zygote
from .runtimes.worker import Call, FramePort, Worker
from .spec import FunctionSpec, Outcome

ACCOUNT_CONCURRENCY = 1000
"""AWS's default quota of concurrent executions, per account and region."""
QUEUE_SECONDS = 10.0
"""How long a call waits when the machine's limit of processes is reached, before it is throttled."""
HERE = Path(__file__).parent


class Tally:
    """Running invocations of an account and region, or of a function."""

    __slots__ = ("running",)

    def __init__(self) -> None:
        self.running = 0


class Pool:
    """The workers of one revision of one version of a function, and the calls that wait for one."""

    def __init__(self, owner: Workers, spec: FunctionSpec, function: Tally, account: Tally) -> None:
        self.spec = spec
        self.function = function
        self.account = account
        self.idle: list[Worker] = []
        self.workers: set[Worker] = set()
        self.waiting: deque[Call] = deque()
        self.starting = 0
        self.retired = False
        self.pace = Pace()
        self._owner = owner

    def submit(self, call: Call) -> None:
        while self.idle:
            worker = self.idle.pop()
            if worker.usable():
                worker.run(call)
                return
            worker.kill()
        self.waiting.append(call)
        self._owner.grow(self)

    def starts(self) -> int:
        """How many workers may be starting now."""
        if not self.waiting:
            return 0
        again = partial(self._owner.grow, self)
        return self.pace.starts(len(self.workers), len(self.waiting), self.waiting[0].came, again)

    def retire(self) -> None:
        self.retired = True
        for worker in self.idle:
            worker.kill()
        self.idle.clear()

    def settle(self, call: Call, outcome: Outcome | AwsError) -> None:
        self.function.running -= 1
        self.account.running -= 1
        if call.timer is not None:
            call.timer.cancel()
        if call.future.done():
            return  # whoever asked has gone; the function ran all the same
        if isinstance(outcome, AwsError):
            call.future.set_exception(outcome)
        elif self._owner.stopping:
            call.future.set_exception(stopping())
        else:
            call.future.set_result(outcome)

    def worker_free(self, worker: Worker) -> None:
        started = worker not in self.workers
        if started:
            self.workers.add(worker)
            self.starting -= 1
            self.pace.started(worker.took)
        else:
            self.pace.called(worker.took)
        if self.waiting:
            worker.run(self.waiting.popleft())
        elif self.retired or worker.retiring:
            worker.kill()
        else:
            self.idle.append(worker)
        if started:
            self._owner.grow(self)

    def worker_failed(self, worker: Worker, payload: bytes) -> None:
        self.starting -= 1
        if not self.waiting:
            return
        call = self.waiting.popleft()
        worker.report_failed_start(call, payload)

    def worker_gone(self, worker: Worker) -> None:
        self.workers.discard(worker)
        if worker in self.idle:
            self.idle.remove(worker)
        self._owner.worker_gone(worker)
        if self.waiting:
            self._owner.grow(self)

    def fail_waiting(self, error: AwsError) -> None:
        while self.waiting:
            self.settle(self.waiting.popleft(), error)


class Workers:
    def __init__(self, node: Node) -> None:
        self._credentials = CredentialCache(node)
        self.logs = LogSink(node, self._credentials.context)
        self._node = node
        self._pools: dict[tuple[str, str, str, str], tuple[str, Pool]] = {}
        self._functions: dict[tuple[str, str, str], Tally] = {}
        self._accounts: dict[tuple[str, str], Tally] = {}
        self._languages: Once[str, Language | None] = Once()
        self._layers: Once[Package, Path] = Once()
        self._zygotes: Once[tuple[str, bool], Zygote] = Once()
        self._tasks: set[asyncio.Task[None]] = set()
        self._every_pool: weakref.WeakSet[Pool] = weakref.WeakSet()
        self._starved: dict[Pool, None] = {}
        self._count = 0
        self._limit = machine_limit()
        self.stopping = False

    async def start(self) -> None:
        """Clear what an earlier node left, and make ready, meanwhile, what its functions started from."""
        self._node.clock.when_set_back(self._rewind)
        shutil.rmtree(self._folder("tmp"), ignore_errors=True)
        with contextlib.suppress(FileNotFoundError):
            for runtime in self._folder("runtimes").read_text().split():
                self._in_background(self._prepare_again(runtime))

    def _rewind(self, seconds: float) -> None:
        for pool in self._every_pool:
            for worker in pool.workers:
                worker.rewind(seconds)

    async def stop(self) -> None:
        """End all workers; who still waits for one is told that the service is going."""
        self.stopping = True
        for task in list(self._tasks):
            task.cancel()
        for pool in self._every_pool:
            pool.fail_waiting(stopping())
        await self._layers.cancel()
        await self._zygotes.cancel()
        for zygote in self._zygotes.ready():
            zygote.stop()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.logs.flush()

    async def prepare(self, runtime: str) -> None:
        """Make ready what functions of this runtime start from, so that the first of them needn't wait for it."""
        language = await self._language(runtime)
        if language is not None:
            await self._zygote(language)

    async def _prepare_again(self, runtime: str) -> None:
        try:
            await self.prepare(runtime)
        except RuntimeError as error:
            self._node.log.warning("%s can't be prepared: %s", runtime, error)

    async def public_layer(self, package: Package, arn: str) -> Path:
        """The folder of a public layer, installed at first use; else the error for a function that names it."""
        return await self._layers.get(package, partial(self._install, package, arn), Path.is_dir)

    async def _install(self, package: Package, arn: str) -> Path:
        language = await self._language(package.runtime)
        assert language is not None
        if not layers_public.folder(str(package)).is_dir():
            self._node.events.emit("layer.install", package=package.name, runtime=package.runtime)
        try:
            return await layers_public.ensure(package, language)
        except (UserError, OSError) as error:
            raise model.no_public_layer(arn, str(error)) from error

    def retire(self, function_arn: str) -> None:
        """A function, or with a version as the qualifier that version, has changed or gone: its workers end, busy ones
        after their invocation."""
        _, _, _, region, account, _, name, *qualifier = function_arn.split(":")
        for key in [key for key in self._pools if key[:3] == (account, region, name)]:
            if not qualifier or key[3] == qualifier[0]:
                self._pools.pop(key)[1].retire()
        self._credentials.forget(account, name)

    async def context(self, spec: FunctionSpec) -> Context:
        """A context for what is done in the function's name, as its role."""
        return await self._credentials.context(spec)

    def running(self, account: str, region: str, name: str = "") -> int:
        """Invocations that run now, of a function or of the whole account."""
        tally = (
            self._functions.get((account, region, name)) if name else self._accounts.get((account, region))
        )
        return tally.running if tally else 0

    async def invoke(
        self,
        spec: FunctionSpec,
        payload: bytes,
        *,
        request_id: str,
        client_context: bytes = b"",
        trace_id: str = "",
    ) -> Outcome:
        pool = self._pool(spec)
        if spec.reserved is not None and pool.function.running >= spec.reserved:
            raise throttled("ReservedFunctionConcurrentInvocationLimitExceeded")
        if pool.account.running >= ACCOUNT_CONCURRENCY:
            raise throttled("ConcurrentInvocationLimitExceeded")
        if self.stopping:
            raise stopping()
        pool.function.running += 1
        pool.account.running += 1
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        trace_id = trace_id or new_trace_id(self._node.clock.now())
        pool.submit(Call(spec.arn, request_id, payload, plain_json(client_context), trace_id, future))
        return await future

    def _pool(self, spec: FunctionSpec) -> Pool:
        key = (spec.account, spec.region, spec.name, spec.version)
        found = self._pools.get(key)
        if found is not None:
            if found[0] == spec.revision:
                return found[1]
            found[1].retire()
        function = self._functions.setdefault(key[:3], Tally())
        account = self._accounts.setdefault(key[:2], Tally())
        pool = Pool(self, spec, function, account)
        self._pools[key] = (spec.revision, pool)
        self._every_pool.add(pool)
        return pool

    def grow(self, pool: Pool) -> None:
        """Start workers for calls that wait, within the machine's limit and a few at a time."""
        while pool.starting < pool.starts():
            if self._count >= self._limit:
                self._evict()
                self._starved[pool] = None
                for call in pool.waiting:
                    if call.timer is None:
                        call.timer = self._node.clock.call_later(QUEUE_SECONDS, self._give_up, pool, call)
                return
            pool.starting += 1
            self._count += 1
            self._in_background(self._start(pool))

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _evict(self) -> None:
        """Let an idle worker of the pool with the most of them go; when it is gone, the starved pools grow."""
        pool = max((pool for _, pool in self._pools.values()), key=lambda pool: len(pool.idle), default=None)
        if pool is not None and pool.idle:
            pool.idle.pop(0).kill()

    def _give_up(self, pool: Pool, call: Call) -> None:
        if call in pool.waiting:
            pool.waiting.remove(call)
            pool.settle(call, throttled("ConcurrentInvocationLimitExceeded"))

    def worker_gone(self, worker: Worker) -> None:
        self._count -= 1
        with contextlib.suppress(OSError):
            os.rmdir(worker.tmp)
        if os.path.isdir(worker.tmp):
            asyncio.get_running_loop().run_in_executor(None, shutil.rmtree, worker.tmp, True)
        starved, self._starved = self._starved, {}
        for pool in starved:
            self.grow(pool)

    async def _start(self, pool: Pool) -> None:
        try:
            await self._start_worker(pool)
        except AwsError as error:
            self._start_failed(pool, error)
        except Exception as error:
            self._node.log.exception("a worker of %s could not be started", pool.spec.name)
            self._start_failed(pool, AwsError("ServiceException", str(error), status=500, fault="server"))

    def _start_failed(self, pool: Pool, error: AwsError) -> None:
        self._count -= 1
        pool.starting -= 1
        if pool.waiting:
            pool.settle(pool.waiting.popleft(), error)
            self.grow(pool)

    async def _start_worker(self, pool: Pool) -> None:
        spec = pool.spec
        language = await self._language(spec.runtime)
        if language is None:
            raise AwsError(
                "InvalidRuntimeException",
                f"The runtime or runtime version specified is not supported: {spec.runtime} can't run on this machine.",
                status=502,
            )
        for package in filter(None, map(layers_public.package_in, spec.layers)):
            await self.public_layer(package, f"{package} of {spec.name}")  # as long as it is there, nothing
        credentials = await self._credentials.get(spec)
        zygote = await self._zygote(language)
        stream = self.logs.stream(spec)
        tmp = self._folder("tmp") / secrets.token_hex(8)
        tmp.mkdir(parents=True)
        worker = Worker(self._node, pool, spec, stream, credentials.expires, str(tmp))
        own = install.node_dir() if language.kind == "nodejs" else install.python_dir()
        place = Place(self._node.url, str(self._node.ca_bundle), str(own), str(tmp), stream.name)
        env = environment(spec, credentials, place)
        if language.kind == "python":
            self._python(worker, zygote, env)
        elif language.kind == "nodejs":
            self._nodejs(worker, zygote, language, env)
        else:
            await self._provided(worker, zygote, env)

    def _python(self, worker: Worker, zygote: Zygote, env: dict[str, str]) -> None:
        spec = worker.spec
        order: dict[str, Any] = {
            "cwd": str(spec.code),
            "opt": opt_layers(spec),
            "env": env,
            "handler": spec.handler,
            "layers": python_layers(spec.layers, spec.runtime),
            "path": [str(install.python_dir())],
            "pycache": str(self._folder("pycache")),
            "endpoint": self._node.url,
        }
        process = zygote.spawn("py", order, worker)
        worker.begin(process, FramePort(process))

    def _nodejs(self, worker: Worker, zygote: Zygote, language: Language, env: dict[str, str]) -> None:
        spec = worker.spec
        heap = f"--max-old-space-size={max(64, spec.memory * 9 // 10)}"
        preload, script = (str(HERE / "runtimes" / "nodejs" / name) for name in ("preload.js", "worker.js"))
        argv = [language.executable, heap, "--require", preload, script]
        env["_CLOUDLET_URL"] = self._node.url
        # Our SDK is the newest, whatever Node.js there is; its advice to upgrade isn't the function's output.
        env.setdefault("AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED", "true")
        env.setdefault("NODE_COMPILE_CACHE", str(self._folder("nodecache")))
        self._link_modules(spec.code.parent)
        order = {"cwd": str(spec.code), "opt": opt_layers(spec), "env": env, "argv": argv, "channel": True}
        process = zygote.spawn("ex", order, worker)
        worker.begin(process, FramePort(process))

    def _link_modules(self, folder: Path) -> None:
        """Above the code, where both `require` and `import` look after the function's own modules, lies the SDK."""
        link, modules = folder / "node_modules", install.node_dir() / "node_modules"
        if folder.is_relative_to(self._node.data) and modules.is_dir() and not link.is_dir():
            link.unlink(missing_ok=True)
            link.symlink_to(modules)

    async def _provided(self, worker: Worker, zygote: Zygote, env: dict[str, str]) -> None:
        spec = worker.spec
        places = [spec.code, *reversed(spec.layers)]
        bootstrap = next((p / "bootstrap" for p in places if os.access(p / "bootstrap", os.X_OK)), None)
        api = RuntimeApi(worker)
        env["AWS_LAMBDA_RUNTIME_API"] = await api.listen()
        argv = [str(bootstrap or spec.code / "bootstrap")]
        order = {"cwd": str(spec.code), "opt": opt_layers(spec), "env": env, "argv": argv, "channel": False}
        process = zygote.spawn("ex", order, worker)
        worker.begin(process, api)
        if bootstrap is None:
            worker.init_failed(missing_bootstrap())

    async def _language(self, runtime: str) -> Language | None:
        return await self._languages.get(runtime, partial(self._resolve, runtime))

    async def _resolve(self, runtime: str) -> Language | None:
        """Find what runs it and, the first time, install what its functions expect beside them; tell of what lacks."""
        language = await runtimes.resolve(runtime)
        self._remember(runtime)
        if language is None or language.kind == "provided":
            return language
        if language.substitute:
            self._tell(
                f"{runtime} functions run on {language.substitute}: this machine has no closer version"
            )
        ensure = install.ensure_python if language.kind == "python" else install.ensure_node
        try:
            await asyncio.to_thread(ensure)
        except (UserError, OSError) as error:
            self._tell(str(error))
        return language

    def _remember(self, runtime: str) -> None:
        """For the next start of the node."""
        file = self._folder("runtimes")
        file.parent.mkdir(parents=True, exist_ok=True)
        with open(file, "a+") as known:
            known.seek(0)
            if runtime not in known.read().split():
                known.write(f"{runtime}\n")

    def _tell(self, text: str) -> None:
        self._node.log.warning("%s", text)
        self._node.events.emit("lambda.log", function="", line=text + "\n")

    async def _zygote(self, language: Language) -> Zygote:
        warm = language.kind == "python"
        executable = language.executable if warm else runtimes.own_python()
        hatch = partial(self._hatch, executable, warm)
        return await self._zygotes.get((executable, warm), hatch, lambda zygote: zygote.alive)

    async def _hatch(self, executable: str, warm: bool) -> Zygote:
        zygote = Zygote(executable, warm=warm, path=[str(install.python_dir())] if warm else [])
        try:
            await zygote.ready()
        except asyncio.CancelledError:
            zygote.stop()
            raise
        return zygote

    def _folder(self, name: str) -> Path:
        return self._node.data / "lambda" / name


def machine_limit() -> int:
    """Worker processes at once on this machine: one per 32 MB of memory, at least 32, at most the account's quota."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(32, min(ACCOUNT_CONCURRENCY, memory // (32 * 1024 * 1024)))


def new_trace_id(now: float) -> str:
    """As Lambda makes it for a request that brings none: not sampled."""
    root, parent = random.getrandbits(96), random.getrandbits(64)
    return f"Root=1-{int(now):08x}-{root:024x};Parent={parent:016x};Sampled=0"


def plain_json(client_context: bytes) -> bytes:
    """The header X-Amz-Client-Context is base64; functions see what is in it."""
    if not client_context or client_context.lstrip().startswith(b"{"):
        return client_context
    try:
        return base64.b64decode(client_context, validate=True)
    except ValueError:
        return client_context


def missing_bootstrap() -> bytes:
    message = "RequestId: {id} Error: Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"
    return orjson.dumps({"errorType": "Runtime.InvalidEntrypoint", "errorMessage": message})


def throttled(reason: str) -> AwsError:
    return AwsError(
        "TooManyRequestsException", "Rate Exceeded.", status=429, fields={"Reason": reason, "Type": "User"}
    )


def stopping() -> AwsError:
    return AwsError(
        "ServiceException", "The node is stopping.", status=500, fault="server", fields={"Type": "Service"}
    )

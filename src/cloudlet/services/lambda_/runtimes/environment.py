"""What a function finds in its environment: Lambda's variables, its credentials, and the ways that lead to the node."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..spec import FunctionSpec


@dataclass(slots=True, frozen=True)
class Credentials:
    access_key: str
    secret_key: str
    session_token: str = ""
    expires: float = float("inf")


@dataclass(slots=True, frozen=True)
class Place:
    """Where a worker runs: what of its environment belongs to the machine and the node."""

    url: str
    ca_bundle: str
    runtime_dir: str
    tmp: str
    log_stream: str


def environment(spec: FunctionSpec, credentials: Credentials, place: Place) -> dict[str, str]:
    layers = [str(layer) for layer in reversed(spec.layers)]  # a later layer covers an earlier one
    path = [f"{layer}/bin" for layer in layers] + [
        f"{sys.base_prefix}/bin",
        os.environ.get("PATH", os.defpath),
    ]
    libraries = [str(spec.code), f"{spec.code}/lib", *(f"{layer}/lib" for layer in layers)]
    env = {
        "PATH": ":".join(path),
        "LD_LIBRARY_PATH": ":".join(libraries),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "HOME": place.tmp,
        "TMPDIR": place.tmp,
        "AWS_ENDPOINT_URL": place.url,
        **_ways_home(place),
        **spec.environment,
        **_reserved(spec, place),
        **_keys(credentials),
    }
    if spec.runtime.startswith("python"):
        env.setdefault("PYTHONPATH", ":".join([*python_layers(spec.layers, spec.runtime), place.runtime_dir]))
    elif spec.runtime.startswith("nodejs"):
        version = spec.runtime.removesuffix(".x").replace("nodejs", "node")
        inside = (f"nodejs/{version}/node_modules", "nodejs/node_modules")
        modules = [f"{layer}/{folder}" for layer in layers for folder in inside]
        env.setdefault("NODE_PATH", ":".join([*modules, f"{place.runtime_dir}/node_modules"]))
    return env


def _ways_home(place: Place) -> Mapping[str, str]:
    """Code that names AWS's hosts reaches the node: programs that honour a proxy through it, all of them with our
    authority among the trusted. No proxy for plain HTTP: boto3's way to the node is plain."""
    bundle = place.ca_bundle
    names = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
    return {
        **dict.fromkeys(names, bundle),
        "HTTPS_PROXY": place.url,
        "https_proxy": place.url,
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


def _reserved(spec: FunctionSpec, place: Place) -> Mapping[str, str]:
    """The variables that AWS reserves; a function's own settings can't cover them."""
    reserved = {
        "_HANDLER": spec.handler,
        "AWS_REGION": spec.region,
        "AWS_DEFAULT_REGION": spec.environment.get("AWS_DEFAULT_REGION", spec.region),
        "AWS_LAMBDA_FUNCTION_NAME": spec.name,
        "AWS_LAMBDA_FUNCTION_VERSION": spec.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory),
        "AWS_LAMBDA_LOG_GROUP_NAME": spec.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": place.log_stream,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "LAMBDA_TASK_ROOT": str(spec.code),
        "LAMBDA_RUNTIME_DIR": place.runtime_dir,
    }
    if not spec.runtime.startswith("provided"):
        reserved["AWS_EXECUTION_ENV"] = f"AWS_Lambda_{spec.runtime}"
    return reserved


def _keys(credentials: Credentials) -> Mapping[str, str]:
    keys = {"AWS_ACCESS_KEY_ID": credentials.access_key, "AWS_SECRET_ACCESS_KEY": credentials.secret_key}
    if credentials.session_token:
        keys["AWS_SESSION_TOKEN"] = credentials.session_token
    return keys


def opt_layers(spec: FunctionSpec) -> list[str]:
    """The layers that /opt shows, the first on top; none where the node's own data lie in /opt, which is then for
    reading only."""
    own = spec.code.is_relative_to("/opt")
    return [] if own else [str(layer) for layer in reversed(spec.layers)]


def python_layers(layers: Sequence[Path], runtime: str) -> list[str]:
    """The folders of layers that Python looks into, in its order."""
    found = []
    for layer in reversed(layers):
        for folder in (layer / "python" / "lib" / runtime / "site-packages", layer / "python"):
            if folder.is_dir():
                found.append(str(folder))
    return found

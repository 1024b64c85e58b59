"""Who serves: a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.environments import OURS, ROOT, python_of

_SCRIPTS = ROOT / "benchmarks" / "servers"


@dataclass(frozen=True)
class Server:
    """A server.

    Args:
        name: short, for tables and plots.
        environment: where it runs: `environments.OURS`, or a file in benchmarks/environments.
        packages: whose versions are told.
        ready: a path that answers 200 once the model is there.
        protocols: rows of `protocols.PROTOCOLS` by the encoding of a request.
        settings: in words, what was set of it.
        model: the name under which it serves a model, from the model's own.
        command: from the model's folder and a port to what is run by its environment's Python.
        is_rival: whether we are compared with it.
    """

    name: str
    environment: str
    packages: tuple[str, ...]
    ready: str
    protocols: dict[str, str]
    settings: str
    model: Callable[[str], str]
    command: Callable[[Path, int], list[str]]
    is_rival: bool = True

    def argv(self, folder: Path, port: int) -> list[str]:
        """The whole command that serves a SavedModel's folder on a port."""
        return [str(python_of(self.environment)), *self.command(folder, port)]


def _ours(folder: Path, port: int) -> list[str]:
    return ["-m", "service", "serve", "--models", str(folder.parent.parent), "--port", str(port)]


def _script(name: str) -> Callable[[Path, int], list[str]]:
    return lambda folder, port: [str(_SCRIPTS / f"serve_{name}.py"), str(folder), str(port)]


def _own_name(model: str) -> str:
    return model


def _fixed_name(_model: str) -> str:
    return "model"


def _rival(name: str, packages: tuple[str, ...], ready: str, protocols: dict[str, str], settings: str) -> Server:
    versions = (*packages, "tensorflow", "numpy")
    return Server(name, f"serve-{name}", versions, ready, protocols, settings, _fixed_name, _script(name))


US = Server(
    name="service",
    environment=OURS,
    packages=("qlayer", "fastapi", "uvicorn", "orjson", "tensorflow", "numpy"),
    ready="/readyz",
    protocols={"json": "tfserving", "binary": "v2-binary"},
    settings="its defaults: one front, one worker",
    model=_own_name,
    command=_ours,
    is_rival=False,
)

_RIVALS = (
    _rival(
        "triton",
        ("nvidia-pytriton", "tritonclient"),
        "/v2/models/model/ready",
        {"json": "v2", "binary": "v2-binary"},
        "DynamicBatcher() as it comes, batches of up to 1,024 rows",
    ),
    _rival(
        "mlserver",
        ("mlserver", "fastapi", "uvicorn"),
        "/v2/models/model/ready",
        {"json": "v2"},
        "adaptive batching of up to 64 requests within 1 ms; one worker process, its default",
    ),
    _rival(
        "bentoml",
        ("bentoml", "uvicorn"),
        "/readyz",
        {"json": "argument"},
        "adaptive batching of up to 1,024 rows, one worker",
    ),
    _rival(
        "litserve",
        ("litserve", "fastapi", "uvicorn"),
        "/health",
        {"json": "instances"},
        "batches of up to 64 requests within 1 ms, one worker, one API server",
    ),
    _rival(
        "ray",
        ("ray", "fastapi", "uvicorn"),
        "/-/healthz",
        {"json": "instances"},
        "one replica, batches of up to 64 requests within 1 ms",
    ),
    _rival(
        "fastapi",
        ("fastapi", "uvicorn", "pydantic"),
        "/ready",
        {"json": "instances"},
        "no batching; TensorFlow in the process and in the event loop",
    ),
)

SERVERS = {server.name: server for server in (US, *_RIVALS)}
RIVALS = tuple(server.name for server in _RIVALS)

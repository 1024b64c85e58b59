"""The server: from settings to a listening process, and from SIGTERM to its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Callable
from types import FrameType

import uvicorn

from service.engine import sandbox
from service.errors import FolderReadOnly
from service.front import auth
from service.front.app import create_app
from service.front.auth import Keys
from service.front.context import Context
from service.front.fronts import Fronts
from service.front.registry import Registry, RegistryLimits
from service.front.sample import curl_line
from service.front.uploads import Uploads
from service.front.version import ServingLimits, Version
from service.settings import BadSettings, Settings
from service.store.store import Store

_log = logging.getLogger(__name__)

_BACKLOG = 2048
_KEEP_ALIVE_S = 75


def run(settings: Settings) -> None:
    """Serve until SIGTERM or Ctrl-C.

    Raises:
        BadSettings: the address cannot be listened on, or the keys cannot be read.
    """
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.INFO, stream=sys.stderr)
    _check_sandbox(settings)
    with contextlib.ExitStack() as stack:
        listeners = [stack.enter_context(listener) for listener in _listeners(settings)]
        hashes = _key_hashes(settings)

        def serve(number: int) -> None:
            context = create_context(settings, hashes)
            _Server(context, listeners[number], is_first=number == 0).run([listeners[number]])

        if settings.fronts == 1:
            serve(0)
        else:
            Fronts(settings.fronts, serve).run()


def create_context(settings: Settings, key_hashes: list[str]) -> Context:
    """Keys, registry and the way into it for settings."""
    keys = Keys(key_hashes, is_open=settings.is_open)
    serving = ServingLimits(
        settings.batch_limits,
        settings.instance_limits,
        settings.restarts_max,
        settings.instances,
        is_folder_strict=settings.strict_folder,
    )
    limits = RegistryLimits(
        serving, settings.load_parallel, settings.poll_interval_s, settings.request_timeout_s, settings.residence
    )
    registry = Registry(Store(settings.models, settings.quotas), limits)
    return Context(settings, keys, registry, Uploads(registry, settings.upload_limits))


def _check_sandbox(settings: Settings) -> None:
    """Say what the kernel enforces; refuse to start if that is less than was asked for."""
    protection = sandbox.protection()
    if not protection.landlock and settings.require_sandbox:
        raise BadSettings("require_sandbox: this kernel has no Landlock (Linux 5.13 and later, with it switched on)")
    landlock = f"Landlock {protection.landlock}" if protection.landlock else "NO Landlock: they can read files"
    _log.info("workers run with %s, %s", landlock, "seccomp" if protection.seccomp else "NO seccomp")


def _key_hashes(settings: Settings) -> list[str]:
    given = settings.given_manage_key()
    try:
        stored = auth.stored_hashes(settings.models)
        if given:
            return [auth.hash_of(given), *stored]
        if not stored:
            key = auth.create_key(settings.models)
            _say(f"manage key, shown this once: {key}")
            return [auth.hash_of(key)]
    except (OSError, ValueError, KeyError, TypeError) as exc:
        if isinstance(exc, OSError) and exc.errno in FolderReadOnly.errnos:
            _say(f"{settings.models} cannot be written: serving what is in it, uploads are refused")
            return [auth.hash_of(given)] if given else []
        raise BadSettings(f"models: the keys in {settings.models / auth.KEYS_FILE} cannot be used: {exc!r}") from exc
    return stored


def _listeners(settings: Settings) -> list[socket.socket]:
    """A listener for each front, all on one address: the kernel spreads the connections over them."""
    first = _listener(settings, settings.port)
    port = first.getsockname()[1]
    return [first, *(_listener(settings, port) for _ in range(settings.fronts - 1))]


def _listener(settings: Settings, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if settings.fronts > 1:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((settings.host, port))
        listener.listen(_BACKLOG)
    except OSError as exc:
        listener.close()
        raise BadSettings(f"port: cannot listen on {settings.host}:{port}: {exc.strerror or exc}") from exc
    return listener


class _Server(uvicorn.Server):
    """Uvicorn, with a first and a last line of ours, and a pause between SIGTERM and the end."""

    def __init__(self, context: Context, listener: socket.socket, *, is_first: bool) -> None:
        settings = context.settings
        super().__init__(
            uvicorn.Config(
                create_app(context),
                loop="uvloop",
                http="httptools",
                ws="none",
                lifespan="on",
                log_config=None,
                log_level="info" if settings.access_log else "warning",
                access_log=settings.access_log,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=int(settings.request_timeout_s) + 1,
            )
        )
        self._context = context
        self._address = _address(listener)
        self._is_first = is_first
        self._announcement: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self._is_first:
            return  # one front speaks for all
        _say(f"listening on {self._address}, loading models from {self._context.settings.models}")
        self._announcement = asyncio.create_task(self._announce())

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM: be not ready for a while, so that nobody sends more, then end; Ctrl-C ends at once."""
        del frame
        wait_s = self._context.settings.drain_wait_s if sig == signal.SIGTERM and not self._context.is_draining else 0
        self._context.is_draining = True
        loop = asyncio.get_running_loop()
        loop.call_soon_threadsafe(loop.call_later, wait_s, self._end)

    def _end(self) -> None:
        self.should_exit = True

    async def _announce(self) -> None:
        await self._context.registry.settled.wait()
        versions = [version for listed in self._context.registry.models().values() for version in listed]
        served = [version for version in versions if version.state == "AVAILABLE"]
        names = ", ".join(f"{version.id.name}/{version.id.number}" for version in served)
        _say(f"ready on {self._address}, serving {names or 'no model yet'}; documentation at {self._address}/docs")
        if lines := [line for version in served if (line := _example(self._address, version))]:
            _say(lines[0])


def _example(address: str, version: Version) -> str | None:
    """A command that gets predictions from a version, if a command line can hold one."""
    signature = version.signatures.get("serving_default")
    return curl_line(address, version.id.name, signature) if signature and signature.is_callable else None


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


_say: Callable[[str], None] = lambda line: print(line, flush=True)  # noqa: E731, T201 -- what an operator waits for

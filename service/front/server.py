"""The server: from settings to a listening process, and from SIGTERM to its end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import multiprocessing
import os
import resource
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import FrameType
from typing import Any, cast

import uvicorn

from service.engine import sandbox
from service.errors import FolderReadOnly
from service.front import limits
from service.front.access.auth import Keys
from service.front.access.keys import KeyFile
from service.front.app import create_app
from service.front.context import Context
from service.front.documentation.sample import curl_line
from service.front.fronts import PASSED_ON, Fronts
from service.front.http.outbox import Outbox
from service.front.http.protocol import LimitedProtocol, close_overdue
from service.front.models.version import Version
from service.front.observability.logs import start_logging
from service.front.registry.registry import Registry
from service.front.registry.uploads import Uploads
from service.settings import BadSettings, Settings
from service.store.store import Store

_log = logging.getLogger(__name__)

_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 -- what a person on this machine asks instead
_COLLECTED_OBJECTS = 50_000  # made and not yet freed, before the collector looks at them
_BACKLOG = 2048  # connections that wait to be accepted; the kernel takes its own somaxconn where that is less
_LOOKS_EVERY_TICKS = 5  # of uvicorn's ten a second: deadlines are seconds, half of one late is soon enough
_THREADS_MAX = 64  # most of them wait: for files, locks and processes that end
_FILES_MAX = 65536  # eight times the connections that there may be by default


def run(settings: Settings) -> None:
    """Serve until SIGTERM or Ctrl-C.

    Raises:
        BadSettings: the address cannot be listened on, or the keys cannot be read.
    """
    start_logging(settings.log_format, with_access=settings.access_log)
    _allow_many_files()
    with contextlib.ExitStack() as stack:
        listeners = [stack.enter_context(listener) for listener in _listeners(settings)]
        _prepare_keys(settings)
        _check_sandbox(settings)

        def close_all_but(kept: socket.socket | None) -> None:
            for listener in listeners:
                if listener is not kept:
                    listener.close()

        def serve(number: int, is_again: bool) -> None:
            close_all_but(listeners[number])  # or connections would wait in one that another front has closed
            context = create_context(settings)
            context.front = number if settings.fronts > 1 else None
            _Server(context, listeners[number], is_speaker=number == 0 and not is_again).run([listeners[number]])

        if settings.fronts == 1:
            serve(0, False)
        else:
            Fronts(settings.fronts, serve, on_end=partial(close_all_but, None)).run()


def create_context(settings: Settings) -> Context:
    """Keys, registry and the way into it for settings.

    Raises:
        BadSettings: the keys cannot be read.
    """
    store = Store(settings.models, limits.quotas(settings))
    registry = Registry(store, limits.registry_limits(settings))
    return Context(settings, _keys(settings), registry, Uploads(registry, limits.upload_limits(settings)))


def _check_sandbox(settings: Settings) -> None:
    """Say what the kernel enforces; refuse to start if that is less than was asked for."""
    protection = sandbox.protection()
    if not protection.landlock and settings.require_sandbox:
        raise BadSettings("require_sandbox: this kernel has no Landlock (Linux 5.13 and later, with it switched on)")
    landlock = f"Landlock {protection.landlock}" if protection.landlock else "NO Landlock: they can read files"
    _log.info("workers run with %s, %s", landlock, "seccomp" if protection.seccomp else "NO seccomp")


def _keys(settings: Settings) -> Keys:
    file = KeyFile(settings.models)
    try:
        return Keys(file, settings.given_manage_key(), is_open=settings.is_open, rates=limits.rates(settings))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
        raise BadSettings(f"models: the keys in {file.path} cannot be used: {exc!r}") from exc


def _prepare_keys(settings: Settings) -> None:
    """Clear up behind who was killed, and make the first manage key, in the one process that all fronts come from."""
    KeyFile(settings.models).sweep()
    _keys(settings)  # or say at once that they cannot be used
    if settings.given_manage_key():
        return
    try:
        if key := KeyFile(settings.models).create_first():
            _say(f"manage key, shown this once: {key}")
    except OSError as exc:
        if exc.errno not in FolderReadOnly.errnos:
            raise BadSettings(f"models: no key can be kept in {settings.models}: {exc.strerror}") from exc
        _say(f"{settings.models} cannot be written: serving what is in it, uploads are refused")


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


def _allow_many_files() -> None:
    """Connections are files; the usual soft limit of 1,024 would be the first to be reached."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES_MAX if hard == resource.RLIM_INFINITY else min(hard, _FILES_MAX)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class _Server(uvicorn.Server):
    """Uvicorn, with a first and a last line of ours, and a pause between SIGTERM and the end."""

    def __init__(self, context: Context, listener: socket.socket, *, is_speaker: bool) -> None:
        settings = context.settings
        super().__init__(
            uvicorn.Config(
                create_app(context),
                loop="uvloop",
                http=cast("Any", partial(LimitedProtocol, limits=limits.wire_limits(settings), outbox=Outbox())),
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,  # ours is written in requests.py
                server_header=False,
                proxy_headers=bool(settings.trusted_proxies),
                forwarded_allow_ips=settings.trusted_proxies or None,
                timeout_graceful_shutdown=int(settings.request_timeout_s + settings.call_timeout_s) + 1,
            )
        )
        self._context = context
        self._address = _address(listener) + settings.root_path
        self._is_speaker = is_speaker
        self._announcement: asyncio.Task[None] | None = None
        self._senders: set[str] = set()

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_THREADS_MAX))
        if self._context.front is not None:
            for sig, told in PASSED_ON.items():
                signal.signal(told, lambda *_, sig=sig: self._end_by(sig, "the process that passes signals on"))
        await super().serve(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        _let_the_collector_rest()
        if not self._is_speaker:
            return  # one front speaks for all, once
        _say(f"listening on {self._address}, loading models from {self._context.settings.models}")
        self._announcement = asyncio.create_task(self._announce())

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second; now and then, close the connections that are late."""
        if counter % _LOOKS_EVERY_TICKS == 0:
            close_overdue(self.server_state)
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, _frame: FrameType | None) -> None:
        """SIGTERM: be not ready for a while, so that nobody sends more, then drain; Ctrl-C drains at once.

        A second signal ends the process now, whatever it or a worker is doing.
        """
        self._end_by(sig, "whoever sent it")

    def _end_by(self, sig: int, sender: str) -> None:
        if sender in self._senders:
            for worker in multiprocessing.active_children():
                worker.kill()  # one that computes would not notice before it is done
            os._exit(128 + sig)
        self._senders.add(sender)
        if self._context.is_draining:
            return
        wait_s = self._context.settings.drain_wait_s if sig == signal.SIGTERM else 0
        self._context.is_draining = True
        loop = asyncio.get_running_loop()
        loop.call_soon_threadsafe(loop.call_later, wait_s, self._end)

    def _end(self) -> None:
        self.should_exit = True

    async def _announce(self) -> None:
        await self._context.registry.settled.wait()
        served = [version for version in self._context.registry.listed() if version.state == "AVAILABLE"]
        names = ", ".join(f"{version.id.name}/{version.id.number}" for version in served)
        documentation = f"; documentation at {self._address}/docs" if self._context.settings.docs else ""
        _say(f"ready on {self._address}, serving {names or 'no model yet'}{documentation}")
        if lines := [line for version in served if (line := _example(self._address, version))]:
            _say(lines[0])


def _let_the_collector_rest() -> None:
    """Look for garbage in what requests make, and not again and again in all that was imported.

    Requests leave no cycles; looking for them took a twelfth of the server's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECTED_OBJECTS, 10, 10)


def _example(address: str, version: Version) -> str | None:
    """A command that gets predictions from a version, if a command line can hold one."""
    signature = version.signatures.get("serving_default")
    return curl_line(address, version.id.name, signature) if signature and signature.is_callable else None


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    host = _ANY_ADDRESS.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 -- what an operator waits for

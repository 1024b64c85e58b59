"""Client: one request to a running server, with the standard library only."""

from __future__ import annotations

import argparse
import http.client
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import urlsplit

_PORTS = {"http": http.client.HTTP_PORT, "https": http.client.HTTPS_PORT}
_CONNECTIONS = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
_TIMEOUT_S = 660  # longer than a server by default lets an upload take
_ERROR_STATUS = 400


class CommandError(Exception):
    """A command failed; the text is one line for whoever typed it."""


@dataclass(frozen=True)
class Client:
    """Asks a server.

    Args:
        url: of the server, such as http://127.0.0.1:8000.
        key: sent with every request, if there is one.
    """

    url: str
    key: str | None

    def ask(
        self, method: str, path: str, body: bytes | IO[bytes] | None = None, headers: Mapping[str, str] | None = None
    ) -> Any:  # noqa: ANN401 -- JSON
        """The JSON of an answer.

        Args:
            method: of the request.
            path: below the server's URL.
            body: bytes, or a file that is sent as it is read; its Content-Length has to be among the headers.
            headers: beside the key.

        Raises:
            CommandError: nobody answers, or an error was answered.
        """
        parts = urlsplit(self.url)
        if parts.scheme not in _CONNECTIONS or not parts.hostname:
            raise CommandError(f"--url: {self.url!r} is no URL of a server, expected such as http://127.0.0.1:8000")
        port = parts.port or _PORTS[parts.scheme]
        connection = _CONNECTIONS[parts.scheme](parts.hostname, port, timeout=_TIMEOUT_S)
        key = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        try:
            answer = _exchange(connection, method, parts.path.rstrip("/") + path, body, {**key, **(headers or {})})
        except OSError as exc:
            raise CommandError(f"no answer from {self.url}: {exc.strerror or exc}; is the server running?") from exc
        except http.client.HTTPException as exc:
            raise CommandError(f"{self.url} does not answer as HTTP: {exc!r}") from exc
        finally:
            connection.close()
        return _json_of(answer)


def add_connection(parser: argparse.ArgumentParser) -> None:
    """The options that say which server is asked, and with which key."""
    url = os.environ.get("SERVICE_URL", "http://127.0.0.1:8000")
    parser.add_argument("--url", default=url, help="of the server, or SERVICE_URL (default: %(default)s)")
    parser.add_argument("--key", help="better given as SERVICE_KEY: a command line is seen by others")


def client_of(arguments: argparse.Namespace) -> Client:
    """The client that the options describe."""
    return Client(arguments.url, arguments.key or os.environ.get("SERVICE_KEY"))


@dataclass(frozen=True)
class _Answer:
    status: int
    body: bytes


def _exchange(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | IO[bytes] | None,
    headers: Mapping[str, str],
) -> _Answer:
    """Send a request and read the answer, also one that comes before all of the body is sent."""
    try:
        connection.request(method, path, body, dict(headers))
    except (BrokenPipeError, ConnectionResetError):
        if connection.sock is None:
            raise
    response = connection.getresponse()
    return _Answer(response.status, response.read())


def _json_of(answer: _Answer) -> Any:  # noqa: ANN401 -- JSON
    try:
        document = json.loads(answer.body)
    except ValueError:
        text = answer.body[:200].decode(errors="replace")
        raise CommandError(f"status {answer.status} and no JSON: {text!r}; is that our server?") from None
    if answer.status >= _ERROR_STATUS:
        error, code = (document.get(name, "?") if isinstance(document, dict) else "?" for name in ("error", "code"))
        raise CommandError(f"{answer.status} {code}: {error}")
    return document

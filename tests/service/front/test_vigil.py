"""Requests that take long: bodies that do not come, clients that leave."""

import contextlib
import json
import shutil
import socket
import time

import httpx
import processes
import pytest

HEAD = b"POST /v1/models/m:predict HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n"


@pytest.fixture(scope="module")
def hasty(savedmodels, tmp_path_factory):
    """A server that waits one second for a body, and computes one row at a time."""
    folder = tmp_path_factory.mktemp("hasty")
    shutil.copytree(savedmodels / "slow", folder / "slow")
    with processes.Server(folder, "--body-timeout-s", "1", "--batch-max-rows", "1") as server:
        server.wait_until("/readyz")
        yield server


@pytest.mark.parametrize("sent", [b"", b'{"instances": ['])
def test_a_body_that_does_not_come_is_given_up(hasty, sent):
    """408 for a client that promises more than it sends, and the connection is closed."""
    with socket.create_connection(("127.0.0.1", hasty.port), timeout=10) as connection:
        connection.sendall(HEAD % 100 + sent)
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 408")
    error = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert (error["error"], error["code"]) == ("the body did not arrive within 1 s", "body_timeout")


def test_who_leaves_is_not_computed_for(hasty):
    """Of thirty slow requests whose clients leave, those that still waited are never computed."""
    head = HEAD.replace(b"/m:", b"/slow:")
    body = b'{"instances": [100.0]}'
    with contextlib.ExitStack() as stack:
        for _ in range(30):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", hasty.port)))
            connection.sendall(head % len(body) + body)
        time.sleep(0.7)
    start = time.monotonic()
    slow = f"{hasty.url}/v1/models/slow:predict"
    assert httpx.post(slow, json={"instances": [0]}, timeout=60).status_code == 200
    waited = time.monotonic() - start
    one = time.monotonic()
    assert httpx.post(slow, json={"instances": [100]}, timeout=60).status_code == 200
    assert waited < 10 * (time.monotonic() - one)

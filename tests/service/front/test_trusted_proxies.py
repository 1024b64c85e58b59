"""X-Forwarded-For: whom a limit by address and the access log mean, with a proxy that is trusted and without one."""

import json

import httpx
import processes
import pytest

TRUSTED, UNTRUSTED = ("--trusted-proxies", "127.0.0.1"), ("--trusted-proxies", "192.0.2.1")
FLAGS = ("--key-failures-per-minute", "2", "--access-log", "--log-format", "json")
CLIENT = "198.51.100.7"


def guess(server, forwarded):
    """The status of a change with a wrong key, for the client that a proxy names."""
    headers = {"Authorization": "Bearer a-guess", "X-Forwarded-For": forwarded}
    return httpx.delete(f"{server.url}/v1/models/nobody", headers=headers).status_code


def logged_peers(server):
    """The addresses in the access log's lines of those guesses."""
    lines = [json.loads(line) for line in server.output.splitlines() if line.startswith("{")]
    return [line["peer"] for line in lines if line.get("method") == "DELETE"]


@pytest.mark.parametrize("flags", [(), UNTRUSTED], ids=["no proxy", "another proxy"])
def test_who_is_not_trusted_does_not_say_who_it_is(tmp_path, flags):
    """Other addresses in the header make no new guesses, and the log has the address of the connection."""
    with processes.Server(tmp_path, *FLAGS, *flags) as server:
        server.wait_until("/readyz")
        assert [guess(server, f"198.51.100.{number}") for number in range(4)] == [401, 401, 429, 429]
    assert logged_peers(server) == ["127.0.0.1"] * 4


def test_a_trusted_proxy_says_for_whom_it_asks(tmp_path):
    """Each client has guesses of its own; what it wrote into the header itself, further left, counts for nothing."""
    with processes.Server(tmp_path, *FLAGS, *TRUSTED) as server:
        server.wait_until("/readyz")
        assert [guess(server, CLIENT) for _ in range(3)] == [401, 401, 429]
        assert guess(server, "198.51.100.8") == 401
        assert guess(server, f"203.0.113.5, {CLIENT}") == 429
    assert logged_peers(server) == [CLIENT] * 3 + ["198.51.100.8", CLIENT]

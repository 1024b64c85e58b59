"""The end of a server: what it was asked is answered, and nothing is left behind."""

import os
import shutil
import signal
import socket
import threading
import time

import httpx
import processes
import pytest

SLOW = "/v1/models/slow:predict"


@pytest.fixture
def folder(savedmodels, tmp_path):
    """A folder with a model that takes its time."""
    shutil.copytree(savedmodels / "slow", tmp_path / "slow")
    return tmp_path


def _ask_in_threads(url, count):
    """Requests under way, and the list that their statuses come into."""
    statuses = []

    def ask(number):
        statuses.append(httpx.post(url, json={"instances": [200 + number]}, timeout=60).status_code)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    return threads, statuses


def test_running_and_queued_requests_are_answered(folder):
    """After SIGTERM /readyz is 503 while others are still taken; then all that was asked is answered, and exit is 0."""
    with processes.Server(folder, "--drain-wait-s", "4", "--batch-max-rows", "1") as server:
        server.wait_until("/readyz")
        family = processes.children(server.process.pid)
        threads, statuses = _ask_in_threads(server.url + SLOW, 6)
        time.sleep(0.5)
        server.process.terminate()
        assert server.wait_until("/readyz", 503).json()["draining"] is True
        late = httpx.get(f"{server.url}/v1/models")
        assert (late.status_code, late.headers["connection"]) == (200, "close")
        assert server.wait() == 0
        for thread in threads:
            thread.join()
    assert statuses == [200] * 6
    processes.wait_for(lambda: not processes.running(family))
    assert "Traceback" not in server.output


def test_open_connections_do_not_hold_the_end_up(folder):
    """Kept-alive, silent and half-asked connections are closed; the server does not wait for their timeouts."""
    with processes.Server(folder, "--header-timeout-s", "60", "--idle-timeout-s", "60") as server:
        server.wait_until("/readyz")
        with httpx.Client(base_url=server.url) as kept, socket.create_connection(("127.0.0.1", server.port)) as silent:
            assert kept.get("/livez").status_code == 200
            with socket.create_connection(("127.0.0.1", server.port)) as half:
                half.sendall(b"GET /livez HTTP/1.1\r\nX: ")
                begun = time.monotonic()
                server.process.terminate()
                assert server.wait() == 0
                assert time.monotonic() - begun < 10
            silent.settimeout(5)
            assert silent.recv(100) == b""


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_it_now(folder, first):
    """Whatever still runs is given up, also by its workers."""
    with processes.Server(folder, "--drain-wait-s", "30", "--call-timeout-s", "60") as server:
        server.wait_until("/readyz")
        family = processes.children(server.process.pid)
        threading.Thread(target=_ignore_errors, args=(server.url + SLOW, {"instances": [3000]})).start()
        time.sleep(0.5)
        server.process.send_signal(first)
        server.wait_until("/readyz", 503) if first == signal.SIGTERM else time.sleep(0.5)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=15) == 128 + signal.SIGTERM
    processes.wait_for(lambda: not processes.running(family))


@pytest.mark.parametrize("fronts", ["1", "2"])
def test_a_signal_to_all_its_processes_drains_it(folder, fronts):
    """As systemd stops a service: fronts, workers and what forks them get it, and all that was asked is answered."""
    with processes.Server(folder, "--fronts", fronts, "--batch-max-rows", "1") as server:
        server.wait_until_all_are_ready()
        family = processes.children(server.process.pid)
        threads, statuses = _ask_in_threads(server.url + SLOW, 6)
        time.sleep(0.7)
        for pid in [server.process.pid, *family]:
            os.kill(pid, signal.SIGTERM)
        assert server.wait() == 0
        for thread in threads:
            thread.join()
    assert statuses == [200] * 6
    processes.wait_for(lambda: not processes.running(family))


def _ignore_errors(url, body):
    try:
        httpx.post(url, json=body, timeout=60)
    except httpx.TransportError:
        return


def test_it_ends_while_it_loads(savedmodels, tmp_path):
    """SIGTERM before any model is ready ends it as well, with nothing left."""
    for name in ("mlp", "zoo", "affine"):
        shutil.copytree(savedmodels / name, tmp_path / name)
    with processes.Server(tmp_path) as server:
        server.wait_until("/livez")
        family = processes.children(server.process.pid)
        server.process.terminate()
        assert server.wait() == 0
    processes.wait_for(lambda: not processes.running(family))
    assert "Traceback" not in server.output

"""More load than a model can take: what is taken is answered well and in time, and the rest is told so at once."""

import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import processes
import pytest

ROUNDS = 40  # of the slow model: some tens of milliseconds
QUEUE_ROWS = 8
CLIENTS = 10 * QUEUE_ROWS
LOAD_S = 4
PAUSE_S = 0.3  # of a client that was refused
PREDICT = "/v1/models/slow:predict"


@pytest.fixture
def client(savedmodels, tmp_path):
    """A client of a server of a slow model that takes one row at a time and lets few wait."""
    shutil.copytree(savedmodels / "slow", tmp_path / "slow")
    flags = ("--batch-max-rows", "1", "--queue-max-rows", str(QUEUE_ROWS), "--request-timeout-s", "120")
    limits = httpx.Limits(max_connections=2 * CLIENTS)
    with (
        processes.Server(tmp_path, *flags) as server,
        httpx.Client(base_url=server.url, timeout=120, limits=limits) as client,
    ):
        server.wait_until("/readyz")
        yield client


def timed(client, value):
    """A prediction, and how long it took in seconds."""
    start = time.monotonic()
    answer = client.post(PREDICT, json={"instances": [value]})
    return answer, time.monotonic() - start


def gauge(client, name):
    """A number of the model in /metrics."""
    [line] = [line for line in client.get("/metrics").text.splitlines() if line.startswith(f"{name}{{")]
    return float(line.split()[-1])


def asked_by_many(client):
    """Many clients at once, each again and again: what each asked with what it was answered, and in which time."""
    until = time.monotonic() + LOAD_S

    def ask(number):
        value, answers = ROUNDS + number / 128, []
        while time.monotonic() < until:
            answers.append((value, *timed(client, value)))
            if not answers[-1][1].is_success:
                time.sleep(PAUSE_S)
        return answers

    with ThreadPoolExecutor(CLIENTS) as pool:
        return [answer for answers in pool.map(ask, range(CLIENTS)) for answer in answers]


def test_under_ten_times_the_load_what_is_taken_is_right_and_in_time(client):
    """Each is 200 with its own numbers, or 429 with when to come again; then nothing waits any more.

    How long an accepted one may take follows from the queue before it; the bound is generous, for busy machines.
    """
    alone_s = max(timed(client, ROUNDS)[1] for _ in range(5))
    alive, is_over = [], threading.Event()

    def live():
        while not is_over.wait(0.02):
            alive.append(client.get("/livez", timeout=10).status_code)

    living = threading.Thread(target=live)
    living.start()
    answers = asked_by_many(client)
    is_over.set()
    living.join()
    accepted = [row for row in answers if row[1].is_success]
    refused = [row[1] for row in answers if not row[1].is_success]
    assert len(accepted) > QUEUE_ROWS
    assert all(np.float32(answer.json()["predictions"]).tolist() == [value] for value, answer, _ in accepted)
    assert max(took_s for *_, took_s in accepted) < 5 * (QUEUE_ROWS + 2) * alone_s + 10
    assert refused
    told = {(answer.status_code, answer.json()["code"], answer.headers["retry-after"]) for answer in refused}
    assert told == {(429, "queue_full", "1")}
    assert alive
    assert set(alive) == {200}
    processes.wait_for(lambda: gauge(client, "qlayer_queue_rows") == gauge(client, "qlayer_queue_requests") == 0)
    assert timed(client, ROUNDS)[0].json() == {"predictions": [ROUNDS]}

"""Soak: a real server under mixed traffic for some minutes; every answer is checked, and nothing may be left behind.

    python tests/soak.py --minutes 10

Predictions of both protocols, bad requests, uploads, also broken ones, deletions, reloads, clients that vanish and
workers that are killed, all at once. At the end the server has the memory and the descriptors it had after a minute,
and its folder has no remains.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib.util
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import archives
import httpx
import numpy as np
import processes

CLIENTS = 6
GROWTH_MAX_MB = 80
DESCRIPTORS_MORE_MAX = 4
WEIGHTS = np.arange(8, dtype=np.float32).reshape(4, 2)
BIAS = np.array([0.5, -0.5], np.float32)
SCALES = {"affine": 1.0, "other": 3.0}
LOST = {"worker_lost", "model_loading", "queue_full"}
KILLED = {"model_out_of_memory", *LOST}  # of what loads a version while its worker is killed
BAD = [
    ("affine:predict", b"", 400),
    ("affine:predict", b'{"instances": [[1, 2]]}', 400),
    ("affine:predict", b'{"instances": [["a", 1, 2, 3]]}', 400),
    ("affine:predict", b"[" * 10_000, 400),
    ("nobody:predict", b'{"instances": [[1, 2, 3, 4]]}', 404),
    ("affine/versions/9:predict", b'{"instances": [[1, 2, 3, 4]]}', 404),
]


class WrongAnswerError(AssertionError):
    """An answer that should not have been given."""


class Soak:
    """The traffic; counts what was answered and stops at the first wrong answer."""

    def __init__(self, server: processes.Server, savedmodels: Path, until: float) -> None:
        self.server = server
        self.until = until
        self.counts: Counter[str] = Counter()
        self.random = random.Random(1)
        self.archives = {name: archives.zip_of(savedmodels / name / "1") for name in SCALES}
        self.broken = broken_archive(savedmodels / "affine" / "1")
        self.churn: dict[int, float] = {}  # versions of the model `churn` that are there, with their scales

    async def run(self) -> None:
        """All kinds of traffic at once, until the time is over or an answer is wrong."""
        kinds = [self.rows, self.columns, self.binary, self.bad, self.uploads, self.vanish, self.kills]
        kinds += [self.reloads, self.broken_uploads]
        headers = {"Authorization": f"Bearer {processes.MANAGE_KEY}"}
        limits = httpx.Limits(max_connections=50)
        async with (
            httpx.AsyncClient(base_url=self.server.url, headers=headers, timeout=60, limits=limits) as client,
            asyncio.TaskGroup() as group,
        ):
            for kind in [*kinds, *[self.rows, self.binary] * (CLIENTS // 2)]:
                group.create_task(self.again_and_again(kind, client))
        async with httpx.AsyncClient(base_url=self.server.url, headers=headers, timeout=60) as client:
            await self.drop(client)

    async def again_and_again(self, kind, client):
        """One kind of traffic until the time is over."""
        while time.monotonic() < self.until:
            await kind(client)
            await asyncio.sleep(self.random.random() * 0.01)

    def rows_of(self, count):
        """Random rows, and what the model with scale 1 makes of them."""
        x = np.random.default_rng(self.random.randrange(2**32)).normal(size=(count, 4)).astype(np.float32)
        return x, x @ WEIGHTS + BIAS

    def check(self, kind, answer, expected):
        """A 200 with the right numbers, or an honest refusal."""
        if answer.status_code != 200:
            self.refused(kind, answer)
            return
        self.counts[f"{kind} right"] += 1
        numbers = np.array(expected(answer))
        if not np.isfinite(numbers).all() or numbers.max(initial=0) > 1e-3:
            raise WrongAnswerError(f"{kind}: wrong numbers, by {numbers.max()}")

    def refused(self, kind, answer):
        """503 or 429 with Retry-After, while a worker is being replaced or the queue is full."""
        is_honest = answer.status_code in {429, 503} and answer.json()["code"] in LOST
        if not is_honest or "retry-after" not in answer.headers:
            raise WrongAnswerError(f"{kind}: {answer.status_code} {answer.text[:300]}")
        self.counts[f"{kind} {answer.json()['code']}"] += 1

    async def rows(self, client):
        """TensorFlow Serving, row format."""
        x, y = self.rows_of(self.random.choice([1, 1, 1, 7, 300]))
        answer = await client.post("/v1/models/affine:predict", json={"instances": x.tolist()})
        self.check("rows", answer, lambda answer: np.abs(np.array(answer.json()["predictions"]) - y))

    async def columns(self, client):
        """TensorFlow Serving, column format, another signature."""
        x, _ = self.rows_of(self.random.choice([1, 20]))
        body = {"inputs": {"x": x.tolist()}, "signature_name": "doubled"}
        answer = await client.post("/v1/models/affine:predict", json=body)
        self.check("columns", answer, lambda answer: np.abs(np.array(answer.json()["outputs"]) - 2 * x))

    async def binary(self, client):
        """The Open Inference Protocol with binary tensors both ways."""
        x, y = self.rows_of(self.random.choice([1, 1, 50, 1000]))
        parameters = f'"parameters":{{"binary_data_size":{x.nbytes}}}'
        head = f'{{"inputs":[{{"name":"x","shape":[{len(x)},4],"datatype":"FP32",{parameters}}}],'
        head += '"parameters":{"binary_data_output":true}}'
        length = {"Inference-Header-Content-Length": str(len(head))}
        answer = await client.post("/v2/models/affine/infer", content=head.encode() + x.tobytes(), headers=length)

        def error(answer):
            start = int(answer.headers["inference-header-content-length"])
            return np.abs(np.frombuffer(answer.content[start:], np.float32).reshape(-1, 2) - y)

        self.check("binary", answer, error)

    async def bad(self, client):
        """Requests that must be refused, each with its status."""
        path, body, status = self.random.choice(BAD)
        answer = await client.post(f"/v1/models/{path}", content=body)
        if answer.status_code != status and answer.status_code not in {429, 503}:
            raise WrongAnswerError(f"bad request {path} {body[:40]!r}: {answer.status_code} {answer.text[:300]}")
        if answer.json().keys() < {"error", "code"}:
            raise WrongAnswerError(f"bad request: {answer.text[:300]}")
        self.counts["bad refused"] += 1

    async def uploads(self, client):
        """A new version, which answers at once and like itself; older ones are deleted."""
        name = self.random.choice(list(SCALES))
        answer = await client.post("/v1/models/churn/versions", content=self.archives[name])
        if self.was_killed("uploads", answer):
            return
        if answer.status_code not in {200, 201}:  # 200 where the highest version has the same content
            raise WrongAnswerError(f"upload: {answer.status_code} {answer.text[:300]}")
        number = answer.json()["version"]
        self.churn[number] = SCALES[name]
        x, _ = self.rows_of(3)
        expected = x @ (WEIGHTS * SCALES[name]) + BIAS
        path = f"/v1/models/churn/versions/{number}:predict"
        answer = await client.post(path, json={"instances": x.tolist()})
        self.check("uploaded", answer, lambda answer: np.abs(np.array(answer.json()["predictions"]) - expected))
        while len(self.churn) > 2:
            oldest = min(self.churn)
            answer = await client.delete(f"/v1/models/churn/versions/{oldest}")
            if answer.status_code != 200:
                raise WrongAnswerError(f"delete: {answer.status_code} {answer.text[:300]}")
            del self.churn[oldest]
            self.counts["deleted"] += 1
        await asyncio.sleep(1)

    def was_killed(self, kind, answer):
        """Whether a version is not there because its worker was killed while it loaded, which is counted then."""
        is_killed = answer.status_code in {422, 503} and answer.json()["code"] in KILLED
        if is_killed:
            self.counts[f"{kind} {answer.json()['code']}"] += 1
        return is_killed

    async def reloads(self, client):
        """A new worker for the model that is asked all the time."""
        answer = await client.post("/v2/repository/models/affine/load")
        if not self.was_killed("reloads", answer):
            if answer.status_code != 200:
                raise WrongAnswerError(f"reload: {answer.status_code} {answer.text[:300]}")
            self.counts["reloaded"] += 1
        await asyncio.sleep(1)

    async def broken_uploads(self, client):
        """A graph that was cut off: refused, and no version or model is there because of it."""
        answer = await client.post("/v1/models/broken/versions", content=self.broken)
        if not self.was_killed("broken uploads", answer):
            if (answer.status_code, answer.json()["code"]) != (422, "malformed_graph"):
                raise WrongAnswerError(f"broken upload: {answer.status_code} {answer.text[:300]}")
            self.counts["broken uploads refused"] += 1
        answer = await client.get("/v1/models/broken")
        if answer.status_code != 404:
            raise WrongAnswerError(f"broken upload is listed: {answer.status_code} {answer.text[:300]}")
        await asyncio.sleep(1)

    async def drop(self, client):
        """Delete all versions that the uploads left."""
        for number in list(self.churn):
            await client.delete(f"/v1/models/churn/versions/{number}")
        self.churn.clear()

    async def vanish(self, client):
        """A client that closes its connection in the middle of a request or of its answer."""
        del client
        _, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        body = b'{"instances": [[1, 2, 3, 4]]}'
        head = b"POST /v1/models/affine:predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
        whole = head + body
        writer.write(whole[: self.random.randrange(1, len(whole) + 1)])
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()
        self.counts["vanished"] += 1
        await asyncio.sleep(0.05)

    async def kills(self, client):
        """SIGKILL to a worker, any of them, every few seconds."""
        del client
        await asyncio.sleep(4 + 4 * self.random.random())
        with contextlib.suppress(ValueError, ProcessLookupError, IndexError):
            os.kill(self.random.choice(processes.workers(self.server.process.pid)), signal.SIGKILL)
            self.counts["killed"] += 1


def broken_archive(folder):
    """A zip of a SavedModel with half of its graph."""
    with tempfile.TemporaryDirectory() as copy:
        broken = shutil.copytree(folder, Path(copy, "broken"))
        graph = broken / "saved_model.pb"
        graph.write_bytes(graph.read_bytes()[: graph.stat().st_size // 2])
        return archives.zip_of(broken)


def test_models():
    """The function that builds the service's test models: it lies in a folder that is no package."""
    spec = importlib.util.spec_from_file_location("savedmodels", Path(__file__).parent / "service" / "models.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.build


async def soak(server, savedmodels, minutes):
    """Traffic for a while to warm up, then for the time asked for; returns what was counted and both footprints."""
    pid = server.process.pid
    warm = Soak(server, savedmodels, time.monotonic() + min(60, minutes * 20))
    await warm.run()
    before = await settled(pid)
    long = Soak(server, savedmodels, time.monotonic() + minutes * 60)
    await asyncio.gather(long.run(), progress(long))
    return long.counts, before, await settled(pid)


async def settled(pid):
    """The footprint when the traffic has ended for a while."""
    await asyncio.sleep(7)
    return processes.footprint(pid)


async def progress(traffic):
    """One line every half minute."""
    start = time.monotonic()
    while time.monotonic() < traffic.until:
        await asyncio.sleep(min(30, max(0.0, traffic.until - time.monotonic())))
        print(f"{time.monotonic() - start:5.0f} s  {sum(traffic.counts.values())} answers checked", flush=True)


def main():
    """Run the soak; the exit status says whether all was well."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    minutes = parser.parse_args().minutes
    with tempfile.TemporaryDirectory() as folder:
        savedmodels, models = Path(folder, "savedmodels"), Path(folder, "models")
        processes.run_blocked(test_models(), str(savedmodels), list(SCALES))
        shutil.copytree(savedmodels / "affine", models / "affine")
        with processes.Server(models, "--restarts-max", "1000", "--trash-keep-days", "0") as server:
            server.wait_until("/readyz")
            counts, before, after = asyncio.run(soak(server, savedmodels, minutes))
        return report(counts, before, after, list((models / ".staging").glob("*")))


def report(counts, before, after, remains):
    """Print what was counted; 1 if anything was left behind."""
    for kind, count in sorted(counts.items()):
        print(f"{count:8d}  {kind}")
    print(f"memory {before[0]:.0f} -> {after[0]:.0f} MB, descriptors {before[1]} -> {after[1]}, remains {remains}")
    is_well = after[0] - before[0] < GROWTH_MAX_MB and after[1] - before[1] <= DESCRIPTORS_MORE_MAX and not remains
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())

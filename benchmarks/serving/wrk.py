"""wrk, Debian's package, as the load generator: a closed loop of connections that ask in turn for different rows."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.serving.protocols import Request

MISSING = (
    "wrk was not found: it makes the load. Install it with `apt-get install wrk`, which Debian and Ubuntu have, or "
    "build it from its source (github.com/wg/wrk, version 4.1 or later) and put it on the PATH."
)
_TIMEOUT_S = 20  # of a request; one that takes longer is an error
_SCRIPT = """
local requests, turn = {}, 0

local function content(path)
  local file = assert(io.open(path, "rb"))
  local bytes = file:read("*a")
  file:close()
  return bytes
end

function init(args)
  local folder, count = args[1], tonumber(args[2])
  for i = 1, count do requests[i] = wrk.format("POST", wrk.path, wrk.headers, content(folder .. "/" .. i)) end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    '{"requests": %d, "duration_us": %d, "p50_us": %d, "p99_us": %d, "longest_us": %d, "refused": %d, "failed": %d}',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
"""


class WrkError(Exception):
    """wrk failed; the text says how."""


@dataclass(frozen=True)
class Load:
    """What a run of wrk saw.

    Args:
        answers_per_s: answers that are no errors.
        refusals_per_s: answers of a status of 400 and more.
        p50_ms: of all answers, as wrk corrects them for what waited behind a slow one.
        p99_ms: the same.
        failed: requests without an answer: connections that broke, and those that took too long.
    """

    answers_per_s: float
    refusals_per_s: float
    p50_ms: float
    p99_ms: float
    failed: int


def has_wrk() -> bool:
    """Whether wrk is there."""
    return shutil.which("wrk") is not None


def run_wrk(url: str, requests: Sequence[Request], connections: int, seconds: float) -> Load:
    """Ask a server for some time.

    Args:
        url: what is posted to.
        requests: asked in turn, all with the same headers.
        connections: kept open, each with one request at a time.
        seconds: how long, in whole seconds.

    Raises:
        WrkError: wrk is missing or failed.
    """
    if not has_wrk():
        raise WrkError(MISSING)
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "script.lua"
        script.write_text(_SCRIPT, encoding="utf-8")
        for i, request in enumerate(requests, start=1):
            (Path(folder) / str(i)).write_bytes(request.body)
        headers = [f"--header={name}: {value}" for name, value in requests[0].headers.items()]
        size = ["--threads=1", f"--connections={connections}", f"--duration={seconds:.0f}s", f"--timeout={_TIMEOUT_S}s"]
        command = ["wrk", *size, *headers, f"--script={script}", url, "--", folder, str(len(requests))]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise WrkError(f"wrk ended with code {done.returncode}: {done.stderr.strip()[-300:] or done.stdout[-300:]}")
    return load_of(done.stdout)


def load_of(output: str) -> Load:
    """The numbers in the last line of what wrk wrote."""
    seen = json.loads(output.strip().splitlines()[-1])
    seconds = seen["duration_us"] / 1e6
    return Load(
        answers_per_s=(seen["requests"] - seen["refused"]) / seconds,
        refusals_per_s=seen["refused"] / seconds,
        p50_ms=seen["p50_us"] / 1e3,
        p99_ms=seen["p99_us"] / 1e3,
        failed=seen["failed"],
    )

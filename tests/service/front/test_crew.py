"""Workers that grow are replaced by others, and nobody who asks notices; with real workers in a process of its own."""

import ast
import asyncio
import subprocess
import sys
import time

import pytest

from service.errors import Unavailable, UploadRejected
from service.front.models import crew

GROWING = """
import asyncio, pathlib, sys
import numpy as np
from service.engine import forkserver
from service.front.limits import serving_limits
from service.front.models import crew
from service.front.models.version import Version
from service.settings import Settings
from service.store.store import VersionId

crew.LOOK_S = 0.3
settings = Settings(models=pathlib.Path(sys.argv[1]), worker_growth_max_mb=int(sys.argv[2]), _cli_parse_args=[])
is_replaced = 0 < settings.worker_growth_max_mb < 300


async def asked(version, *mb):
    outputs = await version.predict("filling", {"mb": np.array(mb, np.int32)}, 30, has_rows=True)
    return outputs["y"].tolist()


async def pids(version, *, is_replaced=False):
    found = [version.worker_pids]
    for look in range(1000):
        assert await asked(version, 1) == [1]
        await asyncio.sleep(0.05)
        if version.worker_pids != found[-1]:
            found.append(version.worker_pids)
        if look > 30 and (not is_replaced or (len(found[-1]) == 1 and found[-1] != found[0])):
            break
    return found


async def main():
    version = Version(VersionId("slow", 1), settings.models / "slow" / "1", serving_limits(settings), None)
    await version.start()
    small = await pids(version)
    answered = await asked(version, 300, 7)
    print([small, answered, await pids(version, is_replaced=is_replaced), await pids(version)])
    await version.close()


with forkserver.running():
    asyncio.run(main())
"""


def grow(savedmodels, growth_max_mb):
    """Process ids that a version had while small rows were asked, the answer to large ones, and the ids after it."""
    command = [sys.executable, "-c", GROWING, str(savedmodels), str(growth_max_mb)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return ast.literal_eval(ended.stdout)


def test_a_worker_that_has_grown_makes_room_for_another(savedmodels):
    """There is always one; the one that follows it stays."""
    small, answered, afterwards, later = grow(savedmodels, 100)
    assert answered == [300, 7]
    assert len(small) == 1
    assert later == [afterwards[-1]]
    assert all(afterwards), "there was a moment without a worker"
    assert set(small[0]).isdisjoint(later[0])
    assert len(later[0]) == 1


def test_growth_is_taken_where_the_limit_says_so(savedmodels):
    """Below the limit, and without one, the worker stays."""
    for growth_max_mb in (1000, 0):
        small, _, afterwards, later = grow(savedmodels, growth_max_mb)
        assert small == afterwards == later


class Idler:
    """Lives until it is killed, and does nothing: of a worker what its crew looks at."""

    pid = 1
    growth_mb = 0

    def __init__(self):
        self._dead = asyncio.Event()

    @property
    def is_lost(self):
        """Whether it was killed."""
        return self._dead.is_set()

    async def is_lost_within(self, _):
        """Wait for the end."""
        return await self._dead.wait()

    async def close(self):
        """Die."""
        self._dead.set()


def crew_of(start, restarts_max=1):
    """A crew whose workers `start` makes, and the list that its end is told to."""
    ends = []
    return crew.Crew("m/1", start, restarts_max, 0, ends.append), ends


def test_a_place_that_lost_too_many_workers_is_filled_later(monkeypatch):
    """While others serve, the version goes on with fewer, and has all of them again in the end."""
    monkeypatch.setattr(crew, "DEATHS_WINDOW_S", 0.3)
    monkeypatch.setattr(crew, "_BACK_OFF_S", 0.001)
    monkeypatch.setattr(crew, "_BACK_OFF_MAX_S", 0.05)

    async def story():
        tries = []

        async def start():
            tries.append(time.monotonic())
            if len(tries) < 6:
                raise UploadRejected("not now", "load_failed")
            return Idler()

        both, ends = crew_of(start)
        both.add(Idler())
        both.grow(1)
        for _ in range(1000):
            await asyncio.sleep(0.01)
            if len(both.pids) == 2:
                break
        await both.close()
        return len(tries), [str(end) for end in ends]

    assert asyncio.run(story()) == (6, ["it was removed"])


def test_loads_that_fail_far_apart_are_given_up_too(monkeypatch):
    """As often in a row as workers may die: who waits is told, and does not wait for ever."""
    monkeypatch.setattr(crew, "DEATHS_WINDOW_S", 0.0)

    async def story():
        tries = []

        async def start():
            tries.append(1)
            raise UploadRejected("it takes too long", "model_load_timeout")

        alone, ends = crew_of(start, restarts_max=2)
        only = Idler()
        alone.add(only)
        await only.close()
        with pytest.raises(Unavailable, match="died again and again and is not started again"):
            await alone.take(asyncio.get_running_loop().time() + 30)
        await alone.close()
        return len(tries), len(ends)

    assert asyncio.run(story()) == (3, 1)


def test_a_worker_is_waited_for_until_the_deadline():
    """Then there is an error, and the next free worker goes to somebody else."""

    async def story():
        idler = Idler()
        alone, _ = crew_of(None)
        alone.add(idler)
        deadline = asyncio.get_running_loop().time() + 0.05
        assert await alone.take(deadline) is idler
        with pytest.raises(TimeoutError):
            await alone.take(deadline)
        alone.give(idler)
        assert await alone.take(deadline) is idler
        await alone.close()

    asyncio.run(story())

"""Workers that grow are replaced by others, and nobody who asks notices; with real workers in a process of its own."""

import ast
import subprocess
import sys

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

"""Crew: the workers of one version.

One that dies is followed by another, until too many have died. One that has grown too much makes room for another,
which has loaded the model before the first is ended: TensorFlow's allocator gives nothing back, and models leak.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine

from service.errors import ServiceError, Unavailable
from service.front.models.instance import Instance

DEATHS_WINDOW_S = 60.0
LOOK_S = 30.0
"""How often the memory of each worker is looked at, which is how often one can be replaced at most."""
_BACK_OFF_S = 0.1
_BACK_OFF_MAX_S = 10.0

_log = logging.getLogger(__name__)


class Crew:
    """Workers that are running and free are handed out one by one.

    The mutable state is the workers that run, those of them that are free and those that leave, who waits for one, the
    times of deaths, the tasks that keep them running, how many of these start one, and, at the end, why there are none.

    Args:
        name: of the version, for the log.
        start: starts one more worker.
        restarts_max: deaths within DEATHS_WINDOW_S after which none is started again.
        growth_max_mb: MiB that one may grow by while it serves; 0: any.
        on_end: told why there will be no worker any more.
    """

    def __init__(
        self,
        name: str,
        start: Callable[[], Awaitable[Instance]],
        restarts_max: int,
        growth_max_mb: int,
        on_end: Callable[[ServiceError], None],
    ) -> None:
        self._name = name
        self._start = start
        self._restarts_max = restarts_max
        self._growth_max_mb = growth_max_mb
        self._running: set[Instance] = set()
        self._free: list[Instance] = []
        self._leaving: dict[Instance, asyncio.Event] = {}
        self._waiting: deque[asyncio.Future[Instance]] = deque()
        self._deaths: deque[float] = deque(maxlen=restarts_max + 1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._starting = 0
        self._on_end = on_end
        self._failure: ServiceError | None = None

    def __repr__(self) -> str:
        return f"<Crew of {self._name}: {len(self._running)} running, {len(self._free)} free>"

    @property
    def pids(self) -> list[int]:
        """The processes that run now."""
        return [instance.pid for instance in self._running]

    @property
    def restarts(self) -> int:
        """Deaths within the last DEATHS_WINDOW_S."""
        now = time.monotonic()
        return sum(now - death < DEATHS_WINDOW_S for death in self._deaths)

    def add(self, first: Instance) -> None:
        """Put the first worker to work."""
        self._join(first)
        self._begin(self._supervise(first))

    def grow(self, count: int) -> None:
        """Start so many more."""
        for _ in range(count):
            self._begin(self._supervise(None))

    async def take(self, deadline: float) -> Instance:
        """A free worker, to be given back; waits for one until a deadline, in the loop's time.

        Raises:
            Unavailable: there will be none.
            TimeoutError: none was free in time.
        """
        while self._free:
            instance = self._free.pop()  # the last one back: its caches are warm
            if not instance.is_lost:
                return instance
        if self._failure:
            raise self._failure
        waiting: asyncio.Future[Instance] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        try:
            async with asyncio.timeout_at(deadline):
                return await waiting
        except (asyncio.CancelledError, TimeoutError):
            if waiting.done() and not waiting.cancelled() and not waiting.exception():
                self.give(waiting.result())
            raise

    def give(self, instance: Instance) -> None:
        """A worker is free: for who waits longest, for whoever comes, or to leave."""
        if instance in self._leaving:
            self._leaving[instance].set()
            return
        if instance.is_lost:
            return  # whoever supervises it starts another
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(instance)
                return
        self._free.append(instance)

    async def close(self) -> None:
        """End all workers; who waits for one is told that it was removed."""
        self._end(Unavailable("it was removed"))
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(instance.close() for instance in self._running))
        self._running.clear()

    def _begin(self, coroutine: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _supervise(self, instance: Instance | None) -> None:
        """Keep one worker running, beginning with the one given."""
        while instance := instance or await self._started():
            if not await instance.is_lost_within(LOOK_S):
                if self._growth_max_mb and instance.growth_mb > self._growth_max_mb:
                    instance = await self._replaced(instance)
                continue
            self._deaths.append(time.monotonic())
            _log.warning("a worker of %s died", self._name)
            self._running.discard(instance)
            await instance.close()
            instance = None

    async def _replaced(self, instance: Instance) -> Instance:
        """Another worker in the place of one that has grown, which ends as soon as it is free; itself if none comes."""
        _log.info("a worker of %s has grown by %d MiB: another takes its place", self._name, instance.growth_mb)
        try:
            successor = await self._start()
        except ServiceError as exc:
            _log.warning("no worker of %s could take the place of another: %s", self._name, exc.message)
            return instance
        self._join(successor)
        if instance in self._free:
            self._free.remove(instance)
        elif not instance.is_lost:
            self._leaving[instance] = asyncio.Event()
            await self._leaving[instance].wait()
            del self._leaving[instance]
        self._running.discard(instance)
        await instance.close()
        return successor

    def _join(self, instance: Instance) -> None:
        """A worker is there, and free."""
        self._running.add(instance)
        self.give(instance)

    async def _started(self) -> Instance | None:
        """A new worker after a pause that doubles with each recent death; None when there were too many."""
        failures = 0  # in a row: they may lie too far apart to be within the window
        while not self._failure:
            deaths = self.restarts
            if max(deaths, failures) > self._restarts_max:
                if not self._running and not self._starting:
                    self._give_up(deaths)
                    break
                await asyncio.sleep(_BACK_OFF_MAX_S)  # others serve meanwhile
                failures = 0
                continue
            await asyncio.sleep(min(_BACK_OFF_S * 2 ** (deaths - 1), _BACK_OFF_MAX_S) if deaths else 0)
            self._starting += 1
            try:
                instance = await self._start()
            except ServiceError as exc:
                failures += 1
                self._deaths.append(time.monotonic())
                _log.warning("a worker of %s did not come back: %s", self._name, exc.message)
            else:
                self._join(instance)
                return instance
            finally:
                self._starting -= 1
        return None

    def _give_up(self, deaths: int) -> None:
        often = f"{deaths} times within {DEATHS_WINDOW_S:g} s" if deaths > self._restarts_max else "again and again"
        self._end(Unavailable(f"its worker died {often} and is not started again"))

    def _end(self, failure: ServiceError) -> None:
        """Tell who waits, and who comes, that there will be no worker."""
        if self._failure:
            return
        self._failure = failure
        self._on_end(failure)
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_exception(failure)

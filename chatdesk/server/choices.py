"""Several answers to one request: those asked at once run side by side in the engine's batch."""

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from chatdesk.core.protocol import Terminal
from chatdesk.server.asking import Ask, ClientGone
from chatdesk.services.engine.process import Reply

AT_ONCE = 8  # of one client; more wait, so that others have their turn


class Choices:
    """The asks of one request. Use it with `async with`."""

    def __init__(self, makers: Sequence[Callable[[], Ask]]) -> None:
        self._makers = makers
        self._places = asyncio.Semaphore(AT_ONCE)
        self._queue: asyncio.Queue[tuple[int, Reply] | Exception] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        self._tasks = [
            asyncio.create_task(self._follow(index, make))
            for index, make in enumerate(self._makers)
        ]
        return self

    async def next(self) -> tuple[int, Reply]:
        """Return the next reply, and whose it is. Raises as `Ask.next`."""
        item = await self._queue.get()
        if isinstance(item, Exception):
            raise item
        return item

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _follow(self, index: int, make: Callable[[], Ask]) -> None:
        try:
            async with self._places, make() as ask:
                while True:
                    reply = await ask.next()
                    self._queue.put_nowait((index, reply))
                    if isinstance(reply, Terminal):
                        return
        except (ClientGone, Exception) as problem:
            self._queue.put_nowait(problem)

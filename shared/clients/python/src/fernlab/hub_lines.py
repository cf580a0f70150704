"""Long answers of a hub, line by line, for programs of asyncio.

INVARIANTS: a thread of its own for each, since those that all work shares would be full of answers that wait, and locks
would not be renewed; leaving ends the request and the thread, also while the hub says nothing.
"""
from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import os
import socket
from typing import Any, AsyncGenerator, Mapping, Optional, Tuple

from .hub import Hub

_END = object()
#: An answer, and the socket by which it comes.
Opened = Tuple[Any, Optional[socket.socket]]


async def lines_of(
    hub: Hub, path: str, query: Optional[Mapping[str, Any]] = None, headers: Optional[Mapping[str, str]] = None
) -> AsyncGenerator[str, None]:
    """As ``hub.lines``, without holding up the loop."""
    loop = asyncio.get_running_loop()
    thread = concurrent.futures.ThreadPoolExecutor(1, "fernlab hub")
    opening = thread.submit(_opened, hub, path, query, headers)
    try:
        response, _ = await asyncio.wrap_future(opening)
        lines = hub.lines_in(response)
        while True:
            line = await loop.run_in_executor(thread, next, lines, _END)
            if line is _END:
                return
            yield line
    finally:
        opening.add_done_callback(_break)
        thread.submit(_close, opening)
        thread.shutdown(wait=False)


def _opened(hub: Hub, path: str, query: Any, headers: Any) -> Opened:
    response = hub.open("GET", path, query, None, headers)
    # An empty answer is over already.
    return response, None if response.closed else socket.socket(fileno=os.dup(response.fileno()))


def _break(opening: "concurrent.futures.Future[Opened]") -> None:
    """Whoever waits for the next line waits no longer."""
    wire = None if opening.cancelled() or opening.exception() is not None else opening.result()[1]
    if wire is not None:
        with contextlib.suppress(OSError):  # the hub has ended it already
            wire.shutdown(socket.SHUT_RDWR)


def _close(opening: "concurrent.futures.Future[Opened]") -> None:
    if opening.cancelled() or opening.exception() is not None:
        return
    response, wire = opening.result()
    response.close()
    if wire is not None:
        wire.close()

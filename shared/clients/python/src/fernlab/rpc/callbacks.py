"""Functions that were handed over with the arguments of a call. They live as long as that call, so that nothing has to be
given back."""
from __future__ import annotations

from typing import Any, Callable, Dict, List

from ..errors import LabError, busy
from .limits import Limits


class Callbacks:
    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._kept: Dict[int, Callable[..., Any]] = {}
        self._written: List[int] = []
        self._last = 0

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, callback: Callable[..., Any]) -> int:
        """Keeps a function of the call that is being written."""
        if len(self._written) >= self._limits.callbacks:
            raise busy(f"a call hands over at most {self._limits.callbacks} functions")
        self._last += 1
        self._kept[self._last] = callback
        self._written.append(self._last)
        return self._last

    def taken(self) -> List[int]:
        """The functions of the call that was written; there are none of the next one yet."""
        written, self._written = self._written, []
        return written

    def forget(self, numbers: List[int]) -> None:
        for number in numbers:
            self._kept.pop(number, None)

    def get(self, number: int) -> Callable[..., Any]:
        """Raises ``callback-unknown`` once the call that handed it over has ended."""
        callback = self._kept.get(number)
        if callback is None:
            raise LabError("callback-unknown", f"the call that handed over function {number} has ended")
        return callback

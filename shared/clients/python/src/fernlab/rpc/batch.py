"""Many calls in one message, done one after another."""
from __future__ import annotations

import asyncio
import inspect
import time
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from ..errors import LabError, as_lab_error, read_wire_error, wire_error
from .limits import Limits
from .messages import read_batch, read_batch_answer

#: Others get the machine at least so often.
_LONGEST_TURN_S = 0.005
_CHECK_EVERY = 64


@dataclass(frozen=True)
class Outcome:
    """What became of one call of a batch; ``skipped`` when an earlier one failed and the batch was to stop there."""

    value: Any = None
    error: Optional[LabError] = None
    skipped: bool = False

    def result(self) -> Any:
        """The value; raises the error, or ``call-skipped``."""
        if self.error is not None:
            raise self.error
        if self.skipped:
            raise LabError("call-skipped", "an earlier call of the batch failed, and it was to stop there")
        return self.value


def batch_of(calls: Sequence[Sequence[Any]], stop: bool) -> Dict[str, Any]:
    """The batch as it is sent: each method stands once."""
    numbers: Dict[str, int] = {}
    numbered = [numbers.setdefault(call[0], len(numbers)) for call in calls]
    params = [call[1] if len(call) > 1 else None for call in calls]
    return {"methods": list(numbers), "calls": numbered, "params": params, "stop": stop}


def read_outcomes(answer: Any, calls: int) -> List[Outcome]:
    results, errors = read_batch_answer(answer, calls)
    outcomes = [Outcome(value=result) for result in results]
    outcomes.extend(Outcome(skipped=True) for _ in range(calls - len(results)))
    for call, error in errors:
        outcomes[call] = Outcome(error=read_wire_error(error))
    return outcomes


async def do_batch(params: Any, limits: Limits, serve: Callable[[str, Any], Any]) -> Dict[str, Any]:
    methods, calls, arguments, stop = read_batch(params, limits)
    results: List[Any] = []
    errors: List[Tuple[int, Dict[str, Any]]] = []
    began = time.monotonic()
    for number, call in enumerate(calls):
        method, value = methods[call], None
        try:
            if method.startswith("rpc."):
                raise LabError("call-invalid", f"a batch can't hold {method}")
            value = serve(method, arguments[number])
            if inspect.isawaitable(value):
                value = await value
        except Exception as error:
            errors.append((number, wire_error(as_lab_error(error))))
            value = None
        results.append(value)
        if stop and errors:
            break
        if number % _CHECK_EVERY == 0 and time.monotonic() - began > _LONGEST_TURN_S:
            await asyncio.sleep(0)
            began = time.monotonic()
    return {"results": results, "errors": errors}

"""Lists of numbers, as programs have them, where a contract says array."""
from __future__ import annotations

import math
import numbers
from typing import Any, Dict, Iterable, List, Mapping, Sequence, Tuple

from .contract import Contract
from .errors import LabError
from .rpc.arrays import BY_NAME, Kind, array_of

Issues = List[Dict[str, str]]


def with_typed_arrays(specs: Mapping[str, Any], arguments: Mapping[str, Any]) -> Dict[str, Any]:
    """The arguments with a typed array for each list (or tuple) of numbers that is wanted as one, at any depth.

    All else stays as it is, for the service to check. Floats are rounded to their kind. Raises ``call-invalid`` with the
    path of the first item of each list that is no number, or that its kind can't hold.
    """
    issues: Issues = []
    typed = _typed_members(specs, arguments, "", issues)
    _require_none(issues)
    return typed


def with_typed_calls(contract: Contract, calls: Sequence[Tuple[str, Any]]) -> List[Tuple[str, Any]]:
    """The same for each ``(action, arguments)`` of a batch; paths begin with the call's number."""
    issues: Issues = []
    typed = []
    for number, (action, arguments) in enumerate(_required_calls(calls)):
        specs = (contract["actions"].get(action) or {}).get("arguments")
        if specs and isinstance(arguments, dict):
            arguments = _typed_members(specs, arguments, f"calls[{number}].", issues)
        typed.append((action, arguments))
    _require_none(issues)
    return typed


def _required_calls(calls: Any) -> List[Tuple[str, Any]]:
    """Raises ``call-invalid`` where they are no list of ``(action, arguments)``."""
    form = 'must be ("action", {"argument": 1})'
    if isinstance(calls, (str, bytes, Mapping)) or not isinstance(calls, Iterable):
        raise LabError("call-invalid", f"calls must be a list of which each {form}")
    listed = list(calls)
    issues: Issues = [
        {"path": f"calls[{number}]", "message": form}
        for number, call in enumerate(listed)
        if not isinstance(call, (tuple, list)) or len(call) != 2 or not isinstance(call[0], str)
    ]
    _require_none(issues)
    return listed


def _require_none(issues: Issues) -> None:
    if issues:
        message = "; ".join(f"{issue['path']} {issue['message']}" for issue in issues)
        raise LabError("call-invalid", message, issues=issues)


def _typed_members(specs: Mapping[str, Any], given: Mapping[str, Any], path: str, issues: Issues) -> Dict[str, Any]:
    return {
        name: _typed(specs[name], value, f"{path}{name}", issues) if name in specs else value
        for name, value in given.items()
    }


def _typed(spec: Mapping[str, Any], value: Any, path: str, issues: Issues) -> Any:
    kind = spec.get("type")
    if isinstance(value, (list, tuple)):
        if kind == "array":
            return _typed_array(str(spec.get("of")), value, path, issues)
        if kind == "list":
            return [_typed(spec["items"], item, f"{path}[{i}]", issues) for i, item in enumerate(value)]
    if kind == "object" and isinstance(value, dict):
        return _typed_members(spec["members"], value, f"{path}.", issues)
    return value


def _typed_array(kind: str, given: Sequence[Any], path: str, issues: Issues) -> Any:
    if kind not in BY_NAME:
        return given
    is_float = kind.startswith("float")
    items = []
    for i, item in enumerate(given):
        if isinstance(item, bool) or not isinstance(item, numbers.Real):
            issues.append({"path": f"{path}[{i}]", "message": f"must be a number, not {_shown(item)}"})
            return None
        number = _held(item, kind, is_float)
        if number is None:
            issues.append({"path": f"{path}[{i}]", "message": f"{_shown(item)} can't be held as {kind}"})
            return None
        items.append(number)
    return array_of(kind, items)


def _held(item: Any, kind: str, is_float: bool) -> Any:
    """The number as its kind holds it; None for one that would silently be another."""
    if is_float:
        try:
            number = float(item)
        except OverflowError:
            return None
        return None if kind == "float32" and _INFINITE_FLOAT32 <= abs(number) < math.inf else number
    low, high = _BOUNDS[kind]
    # Infinity is beyond both, and what is not a number is not equal to itself.
    return int(item) if low <= item <= high and int(item) == item else None


#: From here on numbers are rounded to infinity.
_INFINITE_FLOAT32 = (2 - 2**-24) * 2.0**127


def _bounds_of(kind: Kind) -> Tuple[int, int]:
    bits = 8 * kind.size
    return (0, 2**bits - 1) if kind.name.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


_BOUNDS = {name: _bounds_of(kind) for name, kind in BY_NAME.items() if not name.startswith("float")}


def _shown(item: Any) -> str:
    text = repr(item)
    return text if len(text) <= 60 else f"{text[:60]}…"

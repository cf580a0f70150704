"""What may stand in a message: None, booleans, numbers, texts, lists, dicts by text, bytes, typed arrays; and functions
among the arguments of a call.

INVARIANTS: ``$type`` marks what a format has no form for, ``{"$type": "float64", "base64": …}``,
``{"$type": "number", "text": "NaN"}``, ``{"$type": "callback", "id": …}``; a member of somebody's own that is called
``$type``, ``$$type`` … has one ``$`` more on the wire.
"""
from __future__ import annotations

import base64
import math
from typing import Any, Callable, List, Optional, Union

import cbor2

from ..errors import LabError, too_large, unreadable
from . import arrays
from .limits import SAFE_INTEGER, Limits

Keep = Callable[[Callable[..., Any]], int]
MakeCallback = Callable[[int], Callable[..., Any]]
ODD = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
UNDEFINED = cbor2.undefined


class _Unwritable(Exception):
    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why
        self.path: List[Union[str, int]] = []


def is_mark(key: str) -> bool:
    return key[:1] == "$" and key.lstrip("$") == "type"


class ValueWriter:
    """Makes a value ready for a format. Raises ``value-unwritable`` with the path, or ``message-too-large``."""

    def __init__(self, limits: Limits, is_text: bool, keep: Optional[Keep]) -> None:
        self._limits = limits
        self._is_text = is_text
        self._keep = keep
        self._bytes = 0
        self._values = 0

    def write(self, value: Any) -> Any:
        try:
            return self._put(value, 0)
        except _Unwritable as error:
            path = ""
            for key in reversed(error.path):
                path += f"[{key}]" if isinstance(key, int) else (f".{key}" if path else key)
            issues = [{"path": path, "message": error.why}]
            raise LabError("value-unwritable", f"{path} {error.why}".strip(), issues=issues) from None

    def _put(self, value: Any, depth: int) -> Any:
        if value is None or value is True or value is False:
            return value
        kind = type(value)
        if kind is str:
            return self._text(value)
        if kind is int:
            return self._integer(value)
        if kind is float:
            return self._float(value)
        if isinstance(value, dict):
            return self._members(value, depth)
        if isinstance(value, (list, tuple)):
            return self._list(value, depth)
        return self._other(value, depth)

    def _text(self, value: str) -> str:
        self._grow(len(value))
        if value.isascii():
            return value
        try:
            value.encode()
        except UnicodeEncodeError:
            raise _Unwritable("has half of a character, which no text carries") from None
        return value

    def _integer(self, value: int) -> int:
        if -SAFE_INTEGER <= value <= SAFE_INTEGER:
            return value
        raise _Unwritable("is a whole number beyond 2^53, which would not arrive exactly: send a float, or text")

    def _float(self, value: float) -> Any:
        if self._is_text and not math.isfinite(value):
            return {"$type": "number", "text": "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"}
        return value

    def _other(self, value: Any, depth: int) -> Any:
        if isinstance(value, (bytes, bytearray, memoryview)):
            data = bytes(value)
            self._grow(len(data))
            return {"$type": "uint8", "base64": base64.b64encode(data).decode()} if self._is_text else data
        if arrays.is_array(value):
            return self._array(value)
        # Scalars of numpy are numbers of Python by `item`; subclasses of text and numbers are what they are.
        if arrays.numpy is not None and isinstance(value, arrays.numpy.generic):
            plain = value.item()
            if isinstance(plain, (bool, int, float, str)):
                return self._put(plain, depth)
        elif isinstance(value, str):
            return self._text(str.__str__(value))
        elif isinstance(value, int):
            return self._integer(int(value))
        elif isinstance(value, float):
            return self._float(float(value))
        elif callable(value):
            if self._keep is None:
                raise _Unwritable("is a function, which only the arguments of a call may hold")
            return {"$type": "callback", "id": self._keep(value)}
        raise _Unwritable(f"is a {type(value).__name__}, which no message carries")

    def _array(self, value: Any) -> Any:
        made = arrays.to_bytes(value)
        if made is None:
            raise _Unwritable("is an array of a type, or of dimensions, that no message carries: send its ravel()")
        kind, data = made
        self._grow(len(data))
        if self._is_text:
            return {"$type": kind.name, "base64": base64.b64encode(data).decode()}
        return data if kind.name == "uint8" else cbor2.CBORTag(kind.tag, data)

    def _list(self, value: Any, depth: int) -> List[Any]:
        self._count(len(value), depth)
        written = []
        try:
            for child in value:
                written.append(self._put(child, depth + 1))
        except _Unwritable as error:
            error.path.append(len(written))
            raise
        return written

    def _members(self, value: Any, depth: int) -> Any:
        self._count(len(value), depth)
        written = {}
        for key, child in value.items():
            if not isinstance(key, str):
                raise _Unwritable(f"has a member {key!r}, and names of members are text")
            if key == "__proto__":
                raise _Unwritable("has a member __proto__, which no message carries")
            self._text(key)
            try:
                written["$" + key if is_mark(key) else key] = self._put(child, depth + 1)
            except _Unwritable as error:
                error.path.append(key)
                raise
        return written

    def _grow(self, size: int) -> None:
        self._bytes += size
        most = self._limits.message_bytes
        if self._bytes > most:
            raise too_large(f"the message has more than {most} bytes", most)

    def _count(self, members: int, depth: int) -> None:
        limits = self._limits
        if depth >= limits.depth:
            raise _Unwritable(f"is nested more than {limits.depth} deep, or in itself")
        self._values += members
        if self._values > limits.values:
            raise too_large(
                f"the message has more than {limits.values} values: send numbers as an array of numpy", limits.values
            )


def read_value(value: Any, limits: Limits, callback: Optional[MakeCallback], depth: int = 0) -> Any:
    """Turns what a format read into what was sent. Raises ``rpc-unreadable``."""
    if isinstance(value, dict):
        if depth >= limits.depth:
            raise unreadable(f"it is nested more than {limits.depth} deep")
        if "$type" in value:
            return _read_marked(value, callback)
        read = {}
        for key, child in value.items():
            if key == "__proto__":
                raise unreadable("it has a member __proto__")
            if child is not UNDEFINED:
                read[key[1:] if is_mark(key) else key] = read_value(child, limits, callback, depth + 1)
        return read
    if isinstance(value, list):
        if depth >= limits.depth:
            raise unreadable(f"it is nested more than {limits.depth} deep")
        return [read_value(child, limits, callback, depth + 1) for child in value]
    return None if value is UNDEFINED else value


def _read_marked(members: Any, callback: Optional[MakeCallback]) -> Any:
    kind, text, number = members["$type"], members.get("text"), members.get("id")
    if kind == "number" and isinstance(text, str) and text in ODD:
        return ODD[text]
    if kind == "callback" and type(number) is int and abs(number) <= SAFE_INTEGER:
        if callback is None:
            raise unreadable("it holds a function, which only the arguments of a call may")
        return callback(number)
    data = members.get("base64")
    made = arrays.from_base64(kind, data) if isinstance(kind, str) and isinstance(data, str) else None
    if made is None:
        raise unreadable("it has a $type that is none")
    return made

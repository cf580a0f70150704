"""Typed arrays: numpy's where numpy is there, else those of the standard library's ``array``."""
from __future__ import annotations

import array
import base64
import binascii
import sys
from typing import Any, NamedTuple, Optional, Sequence, Tuple

try:
    import numpy
except ImportError:  # it is no dependency
    numpy = None  # type: ignore[assignment]


class Kind(NamedTuple):
    name: str
    #: Of RFC 8746, little endian.
    tag: int
    code: str
    size: int


KINDS = (
    Kind("uint8", 64, "B", 1),
    Kind("int8", 72, "b", 1),
    Kind("uint16", 69, "H", 2),
    Kind("int16", 77, "h", 2),
    Kind("uint32", 70, "I", 4),
    Kind("int32", 78, "i", 4),
    Kind("uint64", 71, "Q", 8),
    Kind("int64", 79, "q", 8),
    Kind("float32", 85, "f", 4),
    Kind("float64", 86, "d", 8),
)
BY_NAME = {kind.name: kind for kind in KINDS}
BY_TAG = {kind.tag: kind for kind in KINDS}
#: Clamped bytes of a canvas are bytes.
BY_TAG[68] = BY_NAME["uint8"]
BY_CODE = {kind.code: kind for kind in KINDS}
# `l` and `L` have 4 or 8 bytes, as the machine wants.
BY_CODE["l"] = BY_NAME["int32" if array.array("l").itemsize == 4 else "int64"]
BY_CODE["L"] = BY_NAME["uint32" if array.array("L").itemsize == 4 else "uint64"]

IS_LITTLE = sys.byteorder == "little"


def is_array(value: Any) -> bool:
    return isinstance(value, array.array) or (numpy is not None and isinstance(value, numpy.ndarray))


def to_bytes(value: Any) -> Optional[Tuple[Kind, bytes]]:
    """The kind and the little-endian bytes of an array of one dimension; None for what no message carries."""
    if isinstance(value, array.array):
        kind = BY_CODE.get(value.typecode)
        if kind is None:
            return None
        if not IS_LITTLE:
            value = array.array(value.typecode, value)
            value.byteswap()
        return kind, value.tobytes()
    if value.ndim != 1:
        return None
    kind = BY_NAME.get(value.dtype.name)
    if kind is None:
        return None
    return kind, value.astype(value.dtype.newbyteorder("<"), copy=False).tobytes()


def from_bytes(kind: Kind, data: bytes) -> Any:
    """An array with memory of its own. Bytes are ``bytes``."""
    if kind.name == "uint8":
        return data
    if numpy is not None:
        return numpy.frombuffer(data, dtype=numpy.dtype(kind.name).newbyteorder("<")).astype(kind.name)
    made = array.array(kind.code)
    made.frombytes(data)
    if not IS_LITTLE:
        made.byteswap()
    return made


def array_of(name: str, numbers: Sequence[Any]) -> Any:
    """An array of the kind with these numbers, which it can hold."""
    return array.array(BY_NAME[name].code, numbers)


def from_base64(name: str, text: str) -> Any:
    """None for an unknown kind, for no base64, and for bytes that are no whole number of elements."""
    kind = BY_NAME.get(name)
    if kind is None:
        return None
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return from_bytes(kind, data) if len(data) % kind.size == 0 else None

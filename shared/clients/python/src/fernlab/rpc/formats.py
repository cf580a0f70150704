"""How a message becomes a frame of a link: JSON text, or CBOR bytes."""
from __future__ import annotations

import json
from typing import Any, Dict, NoReturn, Optional, Union

import cbor2

from ..errors import LabError, too_large, unreadable
from .arrays import BY_TAG, from_bytes
from .cbor_scan import scan_cbor
from .limits import SAFE_INTEGER, Limits
from .values import Keep, MakeCallback, ValueWriter, read_value

Frame = Union[str, bytes]
#: A number of JSON with more digits is read as a float, as every end reads it.
_EXACT_DIGITS = 16


class Format:
    name: str

    def write(self, message: Dict[str, Any], limits: Limits, keep: Optional[Keep] = None) -> Frame:
        """Raises ``value-unwritable`` or ``message-too-large``."""
        raise NotImplementedError

    def read(self, frame: Frame, limits: Limits, callback: Optional[MakeCallback] = None) -> Any:
        """Raises ``rpc-unreadable`` or ``message-too-large``, and nothing else."""
        raise NotImplementedError


class JsonFormat(Format):
    name = "json"

    def write(self, message: Dict[str, Any], limits: Limits, keep: Optional[Keep] = None) -> str:
        written = {"jsonrpc": "2.0", **ValueWriter(limits, True, keep).write(message)}
        text = json.dumps(written, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        _require_size(text, limits)
        return text

    def read(self, frame: Frame, limits: Limits, callback: Optional[MakeCallback] = None) -> Any:
        if not isinstance(frame, str):
            raise unreadable("it is not text")
        _require_size(frame, limits)
        try:
            message = json.loads(frame, parse_int=_integer, parse_constant=_no_constant)
        except RecursionError:
            raise unreadable(f"it is nested more than {limits.depth} deep") from None
        except ValueError as error:
            raise unreadable(f"it is not JSON: {error}") from None
        return read_value(message, limits, callback)


class CborFormat(Format):
    name = "cbor"

    def write(self, message: Dict[str, Any], limits: Limits, keep: Optional[Keep] = None) -> bytes:
        data = cbor2.dumps(ValueWriter(limits, False, keep).write(message))
        _require_size(data, limits)
        return data

    def read(self, frame: Frame, limits: Limits, callback: Optional[MakeCallback] = None) -> Any:
        if not isinstance(frame, (bytes, bytearray, memoryview)):
            raise unreadable("it is not bytes")
        _require_size(frame, limits)
        special = scan_cbor(frame, limits)
        try:
            message = cbor2.loads(frame, tag_hook=_typed_array)
        except Exception as error:  # whatever the library meets in bytes of a stranger
            raise unreadable(f"it is not CBOR: {error}") from None
        return read_value(message, limits, callback) if special else message


def _typed_array(_decoder: Any, tag: Any) -> Any:
    return from_bytes(BY_TAG[tag.tag], tag.value)


def _integer(digits: str) -> Union[int, float]:
    if len(digits) > _EXACT_DIGITS + 1:
        return float(digits)
    number = int(digits)
    return number if -SAFE_INTEGER <= number <= SAFE_INTEGER else float(number)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _require_size(frame: Any, limits: Limits) -> None:
    if len(frame) > limits.message_bytes:
        raise too_large(
            f"the message has {len(frame)} bytes, and at most {limits.message_bytes} go in one", limits.message_bytes
        )


FORMATS = {"cbor": CborFormat(), "json": JsonFormat()}


def format_named(name: str) -> Format:
    found = FORMATS.get(name)
    if found is None:
        raise LabError("format-unknown", f"there is no format {name!r}: json or cbor")
    return found

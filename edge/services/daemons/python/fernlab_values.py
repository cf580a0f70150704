"""Values as messages carry them. In JSON typed arrays, and numbers that it has no form for, stand under ``$type``; in CBOR
they are what they are.
"""

import array
import base64
import math
import sys

MOST_BYTES = 64 * 1024 * 1024
MOST_DEPTH = 32
MOST_VALUES = 1_000_000
LARGEST_INTEGER = 2**53 - 1

_CODES = {
    "int8": "b",
    "uint8": "B",
    "int16": "h",
    "uint16": "H",
    "int32": "i",
    "uint32": "I",
    "int64": "q",
    "uint64": "Q",
    "float32": "f",
    "float64": "d",
}
_KINDS = {(array.array(code).itemsize, code in "fd", code.isupper()): kind for kind, code in _CODES.items()}


def numpy_if_used():
    """numpy where a service has imported it; by itself it would be most of the process."""
    return sys.modules.get("numpy")


class Unwritable(Exception):
    """No message carries the value; ``code`` says whether it is of a wrong kind or too large."""

    def __init__(self, message, code="value-unwritable"):
        super().__init__(message)
        self.code = code


class TextValues:
    """For JSON."""

    def array(self, kind, octets):
        return {"$type": kind, "base64": base64.b64encode(octets).decode("ascii")}

    def odd(self, number):
        return {"$type": "number", "text": _odd(number)}


class BinaryValues:
    """For CBOR; ``tagged`` says of bytes of which kind their numbers are."""

    def __init__(self, tagged):
        self._tagged = tagged

    def array(self, kind, octets):
        return bytes(octets) if kind == "uint8" else self._tagged(kind, bytes(octets))

    def odd(self, number):
        return number


def to_wire(value, values):
    """The value as a format has it that carries such ``values``; raises Unwritable with its place."""
    return _Writer(values).put(value, "", 0)


class _Writer:
    def __init__(self, values):
        self.form = values
        self.bytes = 0
        self.values = 0

    def grow(self, size):
        self.bytes += size
        if self.bytes > MOST_BYTES:
            raise Unwritable(f"the message has more than {MOST_BYTES} bytes", "message-too-large")

    def count(self, size):
        self.values += size
        if self.values > MOST_VALUES:
            message = f"the message has more than {MOST_VALUES} values: send numbers as an array"
            raise Unwritable(message, "message-too-large")

    def put(self, value, path, depth):
        numpy = numpy_if_used()
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            if abs(value) > LARGEST_INTEGER:
                raise Unwritable(f"{path} is an integer beyond 2^53".strip())
            return int(value)
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else self.form.odd(float(value))
        if isinstance(value, str):
            return self.put_text(value, path)
        if depth >= MOST_DEPTH:
            raise Unwritable(f"{path} is nested more than {MOST_DEPTH} deep, or in itself".strip())
        if isinstance(value, (list, tuple)):
            self.count(len(value))
            return [self.put(item, f"{path}[{i}]", depth + 1) for i, item in enumerate(value)]
        if isinstance(value, dict):
            return self.put_members(value, path, depth)
        if isinstance(value, (bytes, bytearray, memoryview)):
            return self.put_array("uint8", memoryview(value).cast("B"))
        if isinstance(value, array.array):
            kind = _KINDS.get((value.itemsize, value.typecode in "fd", value.typecode.isupper()))
            if kind is not None and value.typecode != "u":
                return self.put_array(kind, memoryview(value).cast("B"))
        if numpy is not None and isinstance(value, numpy.generic):
            return self.put(value.item(), path, depth)
        if numpy is not None and isinstance(value, numpy.ndarray):
            if value.ndim != 1 or value.dtype.name not in _CODES:
                raise Unwritable(f"{path} is an array of {value.ndim} dimensions of {value.dtype}: send one of numbers".strip())
            return self.put_array(value.dtype.name, memoryview(numpy.ascontiguousarray(value)).cast("B"))
        raise Unwritable(f"{path} is a {type(value).__name__}, which no message carries".strip())

    def put_text(self, value, path):
        self.grow(len(value))
        text = str.__str__(value)
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise Unwritable(f"{path} has half of a character, which no text carries".strip()) from error
        return text

    def put_members(self, value, path, depth):
        self.count(len(value))
        members = {}
        for key, member in value.items():
            if not isinstance(key, str):
                raise Unwritable(f"{path} has a member whose name is no text".strip())
            key = self.put_text(key, path)
            name = f"${key}" if key.startswith("$") and key.lstrip("$") == "type" else key
            members[name] = self.put(member, f"{path}.{key}".lstrip("."), depth + 1)
        return members

    def put_array(self, kind, octets):
        self.grow(len(octets))
        if sys.byteorder != "little":
            turned = array.array(_CODES[kind], octets.tobytes())
            turned.byteswap()
            octets = turned.tobytes()
        return self.form.array(kind, octets)


def _odd(value):
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def from_wire(value):
    """What was sent: arrays as numpy's where a service has imported numpy, else as array.array; bytes for uint8."""
    if isinstance(value, list):
        return [from_wire(item) for item in value]
    if isinstance(value, float):
        # As with JSON: CBOR has whole numbers beyond 32 bits as floats.
        return int(value) if value.is_integer() and abs(value) <= LARGEST_INTEGER else value
    if not isinstance(value, dict):
        return value
    kind = value.get("$type")
    if kind is None:
        return {(key[1:] if _is_escaped(key) else key): from_wire(member) for key, member in value.items()}
    if kind == "number":
        return float(value["text"].replace("Infinity", "inf"))
    if kind not in _CODES:
        raise ValueError(f"services in Python can not take a {kind}")
    return array_from_octets(kind, base64.b64decode(value["base64"]))


def array_from_octets(kind, octets):
    """The array whose little-endian bytes these are."""
    if kind == "uint8":
        return octets
    numpy = numpy_if_used()
    if numpy is not None:
        return numpy.frombuffer(octets, dtype=numpy.dtype(kind).newbyteorder("<")).astype(kind)
    numbers = array.array(_CODES[kind], octets)
    if sys.byteorder != "little":
        numbers.byteswap()
    return numbers


def _is_escaped(key):
    return key.startswith("$$") and key.lstrip("$") == "type"

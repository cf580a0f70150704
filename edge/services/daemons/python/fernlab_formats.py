"""Messages as bytes: CBOR where ``cbor2`` is there, else JSON. Long ones go in pieces."""

import json
import struct

from fernlab_values import BinaryValues, TextValues, Unwritable, array_from_octets

try:
    import cbor2
except ImportError:  # a node needs nothing but Python
    cbor2 = None

_PIECE = struct.Struct(">BI")
_MORE, _LAST = 1, 2
# Of RFC 8746, little endian.
_TAGS = {
    "int8": 72,
    "uint16": 69,
    "int16": 77,
    "uint32": 70,
    "int32": 78,
    "uint64": 71,
    "int64": 79,
    "float32": 85,
    "float64": 86,
}
_KINDS = {tag: kind for kind, tag in _TAGS.items()}
# Clamped bytes of a canvas are bytes.
_KINDS.update({64: "uint8", 68: "uint8"})


class JsonFormat:
    name = "json"
    values = TextValues()

    def write(self, message):
        # Only ASCII: a character is a byte, and none is cut.
        return json.dumps(message, separators=(",", ":"), allow_nan=False).encode("ascii")

    def read(self, data):
        return json.loads(data.decode("utf-8"))

    def piece(self, number, part, is_last):
        return b"%b%d:%b" % (b"." if is_last else b"+", number, part)

    def take_piece(self, frame):
        """Its number, what is in it, and whether it is the last; None where the frame is a whole message."""
        if frame[:1] not in (b"+", b"."):
            return None
        number, _, part = frame[1:].partition(b":")
        return int(number), part, frame[:1] == b"."


class CborFormat:
    name = "cbor"

    def __init__(self):
        self.values = BinaryValues(lambda kind, octets: cbor2.CBORTag(_TAGS[kind], octets))

    def write(self, message):
        try:
            return cbor2.dumps(message)
        except UnicodeEncodeError as error:
            raise Unwritable("it has half of a character, which no text carries") from error

    def read(self, data):
        return cbor2.loads(data, tag_hook=_array_of)

    def piece(self, number, part, is_last):
        return _PIECE.pack(_LAST if is_last else _MORE, number & 0xFFFFFFFF) + part

    def take_piece(self, frame):
        """As that of JSON."""
        if frame[:1] not in (b"\1", b"\2"):
            return None
        mark, number = _PIECE.unpack_from(frame)
        return number, frame[_PIECE.size :], mark == _LAST


def _array_of(_decoder, tag):
    kind = _KINDS.get(tag.tag)
    if kind is None:
        raise ValueError(f"services in Python can not take a tag {tag.tag}")
    return array_from_octets(kind, tag.value)


def best_format():
    """The shortest that this Python has."""
    return JsonFormat() if cbor2 is None else CborFormat()

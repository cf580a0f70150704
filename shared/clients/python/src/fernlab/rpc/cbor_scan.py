"""Looks through CBOR (RFC 8949) before a decoder allocates for it: a few bytes may claim to be thousands of millions of
elements, or nest until the stack ends.

INVARIANTS: no recursion, no memory but one list of ``depth`` entries; what passes is one well-formed value of definite
lengths, with text for names of members, no integers beyond 2^53, no tags but those of little-endian typed arrays
(RFC 8746) around byte strings of whole elements.
"""
from __future__ import annotations

from ..errors import LabError, unreadable
from .arrays import BY_TAG
from .limits import SAFE_INTEGER, Limits

_DOLLAR = 36
_UNDEFINED = 23


def scan_cbor(data: bytes, limits: Limits) -> bool:
    """True when there may be something in it that stands for something else. Raises ``rpc-unreadable``."""
    left = []
    at, end = 0, len(data)
    values = element = 0
    pending, is_map, special = 1, False, False
    while True:
        # The byte string of a typed array counts with its tag.
        while pending == 0 and element == 0:
            if not left:
                if at != end:
                    raise unreadable("something follows its end")
                return special
            pending, is_map = left.pop()
        is_name = is_map and element == 0 and pending % 2 == 0
        if element == 0:
            pending -= 1
        if at >= end:
            raise _cut()
        head = data[at]
        at += 1
        major, argument = head >> 5, head & 31
        if is_name and major != 3:
            raise unreadable("a member has a name that is no text")
        if argument > 23:
            if argument > 27:
                raise unreadable("it has parts of indefinite length, or of a length that is none")
            size = 1 << (argument - 24)
            if at + size > end:
                raise _cut()
            if major == 7:
                if size == 1 or element != 0:
                    raise unreadable("it has a simple value that means nothing")
                at += size
                continue
            argument = int.from_bytes(data[at : at + size], "big")
            at += size
            if argument > SAFE_INTEGER:
                raise unreadable("it has an integer beyond 2^53")
        elif major == 7:
            if not 20 <= argument <= 23:
                raise unreadable("it has a simple value that means nothing")
            special = special or argument == _UNDEFINED
        if element != 0 and (major != 2 or argument % element != 0):
            raise unreadable("a typed array has no whole number of elements")
        if major == 2 or major == 3:
            if is_name and at < end and data[at] in (_DOLLAR, 95):
                special = True
            at += argument
            if at > end:
                raise _cut()
            element = 0
        elif major == 4 or major == 5:
            members = argument if major == 4 else argument * 2
            if members > end - at:
                raise _cut()
            values += argument
            if values > limits.values:
                raise unreadable(f"it has more than {limits.values} values")
            if len(left) >= limits.depth:
                raise unreadable(f"it is nested more than {limits.depth} deep")
            left.append((pending, is_map))
            pending, is_map = members, major == 5
        elif major == 6:
            kind = BY_TAG.get(argument)
            if kind is None:
                raise unreadable(f"it has a tag {argument}, which no message has")
            element = kind.size


def _cut() -> LabError:
    return unreadable("it ends too early")

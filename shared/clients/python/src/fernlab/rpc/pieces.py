"""Long messages in pieces: ``+7:`` and text, for the last ``.7:``; in bytes 1, for the last 2, and a number of 32 bits. No
message of JSON or CBOR begins so.

INVARIANTS: memory of messages that are being put together is bounded in number and in bytes, whatever comes.
"""
from __future__ import annotations

import struct
from typing import Dict, List, Optional, Union

from ..errors import too_large, unreadable
from .limits import PIECE_BYTES, Limits

Frame = Union[str, bytes]
_HEADER = struct.Struct(">BI")
_MORE, _LAST = 1, 2
#: A character of text has up to 4 bytes, and a frame of a Unix socket at most 3 times PIECE_BYTES.
_PIECE_CHARS = PIECE_BYTES * 3 // 4


def frame_bytes(frame: Frame) -> int:
    """Bytes of a frame."""
    return len(frame) if isinstance(frame, bytes) or frame.isascii() else len(frame.encode())


class Pieces:
    """A long message that is on its way."""

    def __init__(self, frame: Frame, number: int) -> None:
        self._frame = frame
        self._number = number & 0xFFFFFFFF
        self._at = 0
        #: Of the message, in the piece that was taken last.
        self.last_bytes = 0

    @property
    def is_done(self) -> bool:
        return self._at >= len(self._frame)

    def next(self) -> Frame:
        length = _PIECE_CHARS if isinstance(self._frame, str) else PIECE_BYTES
        part = self._frame[self._at : self._at + length]
        self._at += len(part)
        self.last_bytes = frame_bytes(part)
        if isinstance(part, str):
            return f"{'.' if self.is_done else '+'}{self._number}:{part}"
        return _HEADER.pack(_LAST if self.is_done else _MORE, self._number) + part


class _Unfinished:
    def __init__(self) -> None:
        self.parts: List[Frame] = []
        self.bytes = 0


class Inbox:
    """Puts messages together."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._partial: Dict[int, _Unfinished] = {}
        self._bytes = 0

    def take(self, frame: Frame) -> Optional[Frame]:
        """The whole message, when that was its last piece. Raises ``rpc-unreadable`` or ``message-too-large``."""
        if isinstance(frame, str):
            return self._take_text(frame)
        if frame[:1] not in (b"\1", b"\2"):
            return frame
        if len(frame) < _HEADER.size:
            raise unreadable("it is a piece without a number")
        mark, number = _HEADER.unpack_from(frame)
        return self._add(number, frame[_HEADER.size :], mark == _LAST)

    def clear(self) -> None:
        self._partial.clear()
        self._bytes = 0

    def _take_text(self, frame: str) -> Optional[Frame]:
        if frame[:1] not in ("+", "."):
            return frame
        digits, colon, part = frame[1:14].partition(":")
        if not colon or not digits.isascii() or not digits.isdigit() or len(digits) > 10:
            raise unreadable("it is a piece without a number")
        return self._add(int(digits), frame[2 + len(digits) :], frame[0] == ".")

    def _add(self, number: int, part: Frame, is_last: bool) -> Optional[Frame]:
        partial = self._partial.get(number) or _Unfinished()
        # A piece without content would cost memory that nothing counts.
        size = max(frame_bytes(part), 64)
        partial.bytes += size
        self._bytes += size
        partial.parts.append(part)
        limits = self._limits
        is_long = partial.bytes > limits.message_bytes + PIECE_BYTES
        if is_last or is_long:
            self._drop(number, partial)
        else:
            self._partial[number] = partial
        if is_long:
            raise too_large(f"a message has more than {limits.message_bytes} bytes", limits.message_bytes)
        if self._bytes > limits.pending_bytes or len(self._partial) > limits.partial_messages:
            self._drop(number, partial)
            raise too_large(
                f"more than {limits.partial_messages} messages, or {limits.pending_bytes} bytes of them, "
                "come in pieces at once",
                limits.pending_bytes,
            )
        if not is_last:
            return None
        first = partial.parts[0]
        return "".join(partial.parts) if isinstance(first, str) else b"".join(partial.parts)  # type: ignore[arg-type]

    def _drop(self, number: int, partial: _Unfinished) -> None:
        self._partial.pop(number, None)
        self._bytes -= partial.bytes

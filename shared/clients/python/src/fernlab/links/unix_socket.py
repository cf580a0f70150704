"""A link over a Unix socket: frames with a length of 32 bits before them, high byte first. The end that connects says first
which format it speaks: ``fernlab.rpc.1.cbor`` and a line feed."""
from __future__ import annotations

import asyncio
import struct
from typing import Union

from ..errors import LabError, too_large, unreachable
from ..rpc.formats import Format, Frame, format_named
from ..rpc.limits import PIECE_BYTES
from .transport import TransportLink

_UNIX = "unix:"
_LENGTH = struct.Struct(">I")
#: Longer messages come in pieces; a character of JSON has up to 3 bytes.
MOST_FRAME_BYTES = 3 * PIECE_BYTES + 64


class UnixSocketLink(TransportLink):
    kind = "unix-socket"

    def __init__(self, format: Format) -> None:
        super().__init__(format)
        self._rest = bytearray()

    def send(self, frame: Frame) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        data = frame.encode() if isinstance(frame, str) else frame
        self._transport.write(_LENGTH.pack(len(data)) + data)

    def take_bytes(self, data: bytes) -> None:
        rest: Union[bytes, bytearray] = data
        if self._rest:
            self._rest += data
            rest = self._rest
        at, end = 0, len(rest)
        while end - at >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(rest, at)
            if length > MOST_FRAME_BYTES:
                raise too_large(
                    f"a frame of {length} bytes comes, and at most {MOST_FRAME_BYTES} may", MOST_FRAME_BYTES
                )
            begin = at + _LENGTH.size
            if end - begin < length:
                break
            at = begin + length
            frame = bytes(rest[begin:at])
            self.give(frame.decode("utf-8", "replace") if self.format.name == "json" else frame)
        self._rest = bytearray(rest[at:])

    def say_goodbye(self, why: str) -> None:
        if self._transport is not None:
            self._transport.close()


def path_of_address(address: str) -> str:
    """``/path`` of ``unix:/path``, or of itself."""
    return address[len(_UNIX) :] if address.startswith(_UNIX) else address


async def connect_unix_socket(path: str, format: str = "cbor") -> UnixSocketLink:
    """Raises ``link-unreachable``."""
    link = UnixSocketLink(format_named(format))
    try:
        await asyncio.get_running_loop().create_unix_connection(lambda: link, path)
    except (OSError, ValueError) as error:
        raise unreachable(path, error) from error
    except NotImplementedError as error:
        raise LabError("link-unknown", "this system has no Unix sockets", kind="configuration") from error
    assert link._transport is not None
    link._transport.write(f"fernlab.rpc.1.{format}\n".encode())
    return link

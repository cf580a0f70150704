"""What one link carries at most; both ends state the same, and refuse more with a typed error."""
from __future__ import annotations

from dataclasses import dataclass

#: Messages longer than this go in pieces of this length, so that small ones pass between them.
PIECE_BYTES = 64 * 1024
#: Long messages wait while more than this is in a link.
HIGH_WATER_BYTES = 512 * 1024
#: Beyond it a number of JavaScript is not exact.
SAFE_INTEGER = 2**53 - 1


@dataclass(frozen=True)
class Limits:
    message_bytes: int = 64 * 1024 * 1024
    depth: int = 32
    values: int = 1_000_000
    method_chars: int = 200
    batch_calls: int = 50_000
    calls_under_way: int = 1024
    pending_bytes: int = 128 * 1024 * 1024
    partial_messages: int = 16
    callbacks: int = 64
    stream_items: int = 1024
    unreadable: int = 16


DEFAULT_LIMITS = Limits()

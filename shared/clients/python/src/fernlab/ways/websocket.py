"""Straight to a node, over its network: ``ws://…`` and ``wss://…``."""
from __future__ import annotations

from typing import Optional

from ..links.websocket import connect_websocket
from ..rpc.link import Link
from .way import ANSWER_S, Way


class WebSocketWay(Way):
    kind = "websocket"

    def __init__(self, ca: Optional[str]) -> None:
        self._ca = ca

    def takes(self, address: str) -> bool:
        return address.startswith(("ws://", "wss://"))

    async def connect(self, address: str) -> Link:
        return await connect_websocket(address, "cbor", self._ca, ANSWER_S)

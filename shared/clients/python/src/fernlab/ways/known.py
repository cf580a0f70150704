"""The ways that a program has: a Unix socket on the node's machine, WebSockets straight to it, and by way of the hub."""
from __future__ import annotations

from typing import List, Optional

from ..hub import Hub
from .by_hub import ByHubWay
from .peer_hub import PeerHubWay
from .unix_socket import UnixSocketWay
from .way import Way
from .websocket import WebSocketWay


def known_ways(hub: Optional[Hub], ca: Optional[str]) -> List[Way]:
    """``ca`` is a file with an authority to trust besides the system's; what no other takes is the path of a socket."""
    return [WebSocketWay(ca), *([] if hub is None else [ByHubWay(hub)]), PeerHubWay(), UnixSocketWay()]

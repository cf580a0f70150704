"""A peer at an address: ``ws://host:port/rpc``, ``wss://…``, or the path of a Unix socket."""
from __future__ import annotations

import uuid
from typing import Any, Callable, Dict, Optional

from .errors import LabError
from .links.unix_socket import connect_unix_socket, path_of_address
from .links.websocket import connect_websocket
from .rpc.calls import TIMEOUT_S
from .rpc.link import Link
from .rpc.messages import SIGN_IN
from .rpc.peer import Peer
from .rpc.serving import Serve
from .ways.access import Access

#: Nodes know the links of this program by it from those of other programs of the same person.
_PROGRAM = uuid.uuid4().hex


async def connect(
    address: str,
    token: Optional[str] = None,
    *,
    format: str = "cbor",
    serve: Optional[Serve] = None,
    ca: Optional[str] = None,
    timeout: float = 10.0,
    grace: Optional[float] = None,
    trouble: Optional[Callable[[LabError, Optional[str]], None]] = None,
) -> Peer:
    """Connects, and signs in where a token is given. ``serve`` does what the other end calls.

    Where the token has a hold of a bench, ``grace`` is for how many seconds it outlives its last link (0 to 600).

    Raises ``link-unreachable``, or what the other end says of the token.
    """
    link: Link
    if address.startswith(("ws://", "wss://")):
        link = await connect_websocket(address, format, ca, timeout)
    else:
        link = await connect_unix_socket(path_of_address(address), format)
    peer = Peer(link, serve, trouble=trouble)
    if token is not None:
        try:
            await sign_in(peer, token, grace, timeout)
        except BaseException:
            await peer.close("the token was refused")
            raise
    return peer


async def sign_in(peer: Peer, token: str, grace: Optional[float], timeout: float) -> None:
    """A newer token takes the place of the one before."""
    params: Dict[str, Any] = {"token": token, "program": _PROGRAM, **({} if grace is None else {"graceS": grace})}
    await peer.call(SIGN_IN, params, timeout, True)


async def show(peer: Peer, access: Access) -> None:
    """Signs in where that is asked for: who can open a node's socket owns it."""
    if peer.link.kind == "unix-socket":
        await peer.call(SIGN_IN, {"program": _PROGRAM}, TIMEOUT_S, True)
    elif access.token is not None:
        await sign_in(peer, access.token, access.grace, TIMEOUT_S)

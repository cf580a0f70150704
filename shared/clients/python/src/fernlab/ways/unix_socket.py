"""On the node's own machine: the path of its socket, also as ``unix:/path``. Who can open it owns the node."""
from __future__ import annotations

from ..links.unix_socket import connect_unix_socket, path_of_address
from ..rpc.link import Link
from .way import BY_HUB, BY_PEER, Way


class UnixSocketWay(Way):
    kind = "unix-socket"

    def takes(self, address: str) -> bool:
        return "://" not in address and not address.startswith((BY_HUB, BY_PEER))

    async def connect(self, address: str) -> Link:
        return await connect_unix_socket(path_of_address(address))

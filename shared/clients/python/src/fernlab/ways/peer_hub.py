"""To a node of another site, ``peer:<site>/<node>``: its place is kept, and it says so."""
from __future__ import annotations

from ..errors import LabError
from ..rpc.link import Link
from .way import BY_PEER, Way


def site_foreign(what: str, here: str) -> LabError:
    """What is of another site, and what to do: no hub leads to another's services."""
    return LabError(
        "site-foreign", f"{what} is of another site than {here}: ask the hub of its site, or its node itself"
    )


class PeerHubWay(Way):
    kind = "peer-hub"

    def takes(self, address: str) -> bool:
        return address.startswith(BY_PEER)

    async def connect(self, address: str) -> Link:
        raise site_foreign(f"node {address[len(BY_PEER):]}", "this client")

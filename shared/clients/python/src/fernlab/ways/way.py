"""The port of ways to a node: a way is a kind of link and how one is opened."""
from __future__ import annotations

from typing import List, NamedTuple, Optional, Sequence, Tuple

from ..errors import LabError
from ..rpc.link import Link

#: Before a node's name: its address by way of the hub, for when there is no nearer one.
BY_HUB = "hub:"
#: Before the site and the name of a node of another site.
BY_PEER = "peer:"
#: From the nearest on.
NEARNESS = ("unix-socket", "websocket", "mqtt", "peer-hub")
#: For how long an address has to answer.
ANSWER_S = 5.0


class Way:
    #: One of ``NEARNESS``.
    kind: str

    def takes(self, address: str) -> bool:
        raise NotImplementedError

    async def connect(self, address: str) -> Link:
        """Raises ``link-unreachable``, or what is said there of the caller."""
        raise NotImplementedError


class Candidate(NamedTuple):
    address: str
    way: Way


class WayInUse(NamedTuple):
    """By which link a node is reached now."""

    kind: str
    address: str
    #: Median of three answers.
    round_trip_ms: float


Refused = Tuple[str, str]


def candidates(addresses: Sequence[str], ways: Sequence[Way]) -> Tuple[List[List[Candidate]], List[Refused]]:
    """What can be tried, by kind, the nearest first; and what can't, with the reason."""
    open_ones: List[Candidate] = []
    refused: List[Refused] = []
    for address in dict.fromkeys(addresses):
        way = next((one for one in ways if one.takes(address)), None)
        if way is None:
            refused.append((address, "this client knows no way of that kind"))
        else:
            open_ones.append(Candidate(address, way))
    by_kind = [[one for one in open_ones if one.way.kind == kind] for kind in NEARNESS]
    return [group for group in by_kind if group], refused


def unreachable_by_all(node: str, tried: Sequence[Refused]) -> LabError:
    each = "; ".join(f"{address}: {why}" for address, why in tried)
    return LabError(
        "node-unreachable",
        f"{node} can't be reached ({each})" if tried else f"no address of {node} is known",
        kind="link",
        retry="later",
        issues=[{"path": address, "message": why} for address, why in tried],
    )

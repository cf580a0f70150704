"""Nodes that are asked themselves, for labs without a hub, and for who has a token of one.

INVARIANTS: a token goes to the node that it is for, and to no other; a node that does not answer keeps nobody from what the
others have, and is named; benches are locked at their nodes, as all else.
"""
from __future__ import annotations

import asyncio
import re
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

from .connection import Connection
from .contract import CONTRACT, read_contract
from .directory import Found, parts_of
from .errors import LabError
from .ways.access import Access
from .ways.peer_hub import site_foreign

#: A node that is on answers at once.
ANSWER_S = 5.0
_MACHINE = re.compile(r"wss?://[^/]+/?")
#: As a program names it: an address, or an address and the token that is the node's.
Named = Union[str, Tuple[str, Optional[str]]]
Entry = Dict[str, Any]
#: The connection with the node at an address.
Connect = Callable[[str], Connection]


class NodeAt(NamedTuple):
    """Where a node is, and the token that it signed itself; none at its own socket."""

    address: str
    token: Optional[str] = None


class Answers(NamedTuple):
    """What nodes have said, each with its address; and why others have not, by theirs."""

    entries: List[Tuple[Entry, str]]
    unanswered: Dict[str, LabError]
    is_any: bool

    def some(self) -> List[Tuple[Entry, str]]:
        """What there is; raises what the nodes say where none of them answers."""
        if self.unanswered and not self.is_any:
            raise _none_answers(self.unanswered)
        return self.entries


def node_at(named: Named) -> NodeAt:
    """With the path at which nodes take links, where only the machine was named; raises ``address-wrong``."""
    address, token = (named, None) if isinstance(named, str) else named
    if not address or ("://" in address and not address.startswith(("ws://", "wss://"))):
        example = "give one such as ws://bench-pi:8090, or the path of its services.sock"
        raise LabError("address-wrong", f'"{address}" is no address of a node: {example}')
    return NodeAt(f"{address.rstrip('/')}/rpc" if _MACHINE.fullmatch(address) else address, token)


def nodes_of(
    address: Optional[str], token: Optional[str], nodes: Optional[Sequence[Named]], hub: Any = None
) -> Optional[Tuple[NodeAt, ...]]:
    """Those that a program has named in one of two ways; None where it has named none, so that a hub is meant."""
    if nodes is None:
        return None if address is None else (node_at((address, token)),)
    for name, given in (("address", address), ("token", token), ("hub", hub)):
        if given is not None:
            raise LabError("call-invalid", f"nodes and {name} can't both be given: a token stands beside its node's address")
    return tuple(node_at(one) for one in nodes)


class NodesDirectory:
    """The directory of these nodes; ``connect`` of its methods leads to each."""

    def __init__(self, nodes: Sequence[NodeAt]) -> None:
        self._nodes = {at.address: at for at in nodes}

    async def access(self, address: str, _services: Sequence[str], _lease: Optional[str]) -> Access:
        return Access([address], self._nodes[address].token)

    async def search(self, search: Dict[str, Any], connect: Connect) -> Answers:
        """What all have, each service once."""
        addresses = list(self._nodes)
        said = await asyncio.gather(*(_ask(connect(one), search) for one in addresses), return_exceptions=True)
        entries: Dict[str, Tuple[Entry, str]] = {}
        unanswered: Dict[str, LabError] = {}
        for address, answer in zip(addresses, said):
            if isinstance(answer, LabError):
                unanswered[address] = answer
            elif isinstance(answer, BaseException):
                raise answer
            else:
                for entry in answer:
                    # A node may be named by two of its addresses.
                    entries.setdefault(entry["address"], (entry, address))
        return Answers(list(entries.values()), unanswered, len(unanswered) < len(addresses))

    async def entry(self, name: str, connect: Connect) -> Tuple[Entry, str]:
        """The one of that name, and the address of its node; raises ``service-unknown``, ``service-ambiguous``, ``site-foreign``."""
        site, node, service = parts_of(name)
        answers = await self.search({"name": service}, connect)
        there = [one for one in answers.some() if site in (None, one[0]["site"])]
        if not there and site is not None:
            sites = {entry["site"] for entry, _ in (await self.search({}, connect)).entries}
            if sites and site not in sites:
                raise site_foreign(name, " and ".join(sorted(sites)))
        meant = [one for one in there if node in (None, one[0]["node"])]
        if len(meant) == 1:
            return meant[0]
        asked = service if node is None else f"{node}/{service}"
        if not meant:
            raise _unknown(asked, answers.unanswered)
        full = sorted(entry["address"] for entry, _ in meant)
        message = f"several nodes have a service {asked}: say which, {' or '.join(full)}"
        raise LabError("service-ambiguous", message, details={"services": " ".join(full)})

    async def found(self, name: str, connect: Connect) -> Tuple[Found, str, str]:
        """The service; the address of its node, and ``<site>/<node>``, by which all programs know that."""
        if len(self._nodes) == 1 and "/" not in name:
            # On one node a name is one service's.
            address = next(iter(self._nodes))
            service, node, place = name, address, address
        else:
            entry, address = await self.entry(name, connect)
            service, node, place = entry["name"], entry["node"], f"{entry['site']}/{entry['node']}"
        connection = connect(address)
        await connection.reach()
        met = await connection.call(f"{service}/{CONTRACT}", idempotent=True)
        return Found(service, node, None, read_contract(service, met)), address, place


async def _ask(connection: Connection, search: Dict[str, Any]) -> List[Entry]:
    said = await connection.call("node/directory", {"search": search}, ANSWER_S, True)
    texts = ("name", "node", "site", "address")
    is_right = isinstance(said, list) and all(
        isinstance(entry, dict) and all(isinstance(entry.get(key), str) for key in texts) for entry in said
    )
    if not is_right:
        raise LabError("unexpected-answer", f"{connection.node} answered what is no list of services", kind="link")
    return said  # type: ignore[no-any-return]


def _unknown(asked: str, unanswered: Dict[str, LabError]) -> LabError:
    """A node that did not answer may have it."""
    silent = f"; of {', '.join(unanswered)} there is no answer" if unanswered else ""
    return LabError("service-unknown", f"there is no service {asked}{silent}", issues=_issues(unanswered))


def _none_answers(unanswered: Dict[str, LabError]) -> LabError:
    """Of several, with the code of the first."""
    first, *others = unanswered.values()
    if not others:
        return first
    each = "; ".join(error.message for error in unanswered.values())
    return LabError(first.code, f"no node answers: {each}", first.kind, first.retry, issues=_issues(unanswered))


def _issues(unanswered: Dict[str, LabError]) -> List[Dict[str, str]]:
    return [{"path": address, "message": error.message} for address, error in unanswered.items()]

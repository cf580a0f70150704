"""Where services are: asked of a hub, or of a node alone."""
from __future__ import annotations

import re
import time
from typing import Any, Awaitable, Callable, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple, Union

from .asked_hold import HOLD_S, AskedHold
from .contract import Contract, read_contract
from .errors import LabError, call_invalid
from .hub import Hub, path_of
from .ways.access import Access
from .ways.peer_hub import site_foreign
from .ways.way import BY_HUB

_ADDRESS = re.compile(r"fernlab://([^/]+)/([^/]+)/([^/]+)")
Tags = Union[str, Sequence[str], None]


class Found(NamedTuple):
    """A service that was found."""

    #: On a link to its node.
    name: str
    node: str
    #: ``<node>.<bench>`` of a part of a bench: its parts are locked together.
    bench: Optional[str]
    contract: Contract


class AsyncDirectory:
    """The directory of a hub, for programs of asyncio."""

    def __init__(self, hub: Union[str, Hub, None] = None, token: Optional[str] = None, ca: Optional[str] = None) -> None:
        self.hub = hub if isinstance(hub, Hub) else Hub(hub, token, ca)
        #: The hub's own, once it has said so.
        self._site: Optional[str] = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.hub.url!r})"

    async def search(
        self,
        name: Optional[str] = None,
        prefix: Optional[str] = None,
        pattern: Optional[str] = None,
        tag: Tags = None,
        any_tag: Tags = None,
        state: Optional[str] = None,
    ) -> List[Dict[str, Any]]:
        """The services for which all that is given holds, as dicts with ``name``, ``node``, ``address``, ``state``, ``tags`` …

        In a ``pattern``, ``*`` stands for any text and ``?`` for one letter; of ``tag`` each must be there, of ``any_tag``
        one; ``state`` is ``up``, ``busy``, ``locked``, ``unhealthy`` or ``gone``.
        """
        query = {"name": name, "prefix": prefix, "pattern": pattern, "tag": tags_of(tag), "anyTag": tags_of(any_tag)}
        found: List[Dict[str, Any]] = []
        cursor = None
        while True:
            asked = {**query, "state": state, "limit": 200, "cursor": cursor}
            answer = await self.hub.ask("GET", "/directory", query=asked)
            found.extend(_list_of(answer))
            cursor = answer.get("cursor")
            if not cursor:
                return found

    async def named(self, name: str) -> List[str]:
        """``<node>/<service>`` of each that is meant by a name, or by one with ``*`` and ``?``: ``bench3.*``, ``pi/*``.

        Raises ``service-unknown`` where it fits none.
        """
        return await named_by(self.search, name)

    async def get(self, name: str) -> Dict[str, Any]:
        """One, with its ``contract``: by its name, ``<node>/<service>``, or ``fernlab://<site>/<node>/<service>``.

        Raises ``service-unknown``, ``service-ambiguous`` where several nodes have one of that name, or ``site-foreign``.
        """
        try:
            entry = await self.hub.ask("GET", path_of("directory", *short_name(name).split("/")))
        except LabError as error:
            if error.code == "service-unknown":
                await self._require_own(name)
            raise
        if not isinstance(entry, dict) or not all(isinstance(entry.get(key), str) for key in ("name", "node")):
            raise LabError("unexpected-answer", "the directory answered what is no service", kind="link")
        self._site = entry.get("site", self._site)
        await self._require_own(name)
        return entry

    async def _require_own(self, name: str) -> None:
        """Also where the hub has a service of that name itself: it leads to none of another site."""
        site = parts_of(name)[0]
        if site is None:
            return
        if self._site is None:
            said = await self.hub.ask("GET", "/site")
            if not isinstance(said, dict) or not isinstance(said.get("site"), str):
                raise LabError("unexpected-answer", "the hub answered what is no site", kind="link")
            self._site = said["site"]
        if site != self._site:
            raise site_foreign(name, f"{self._site}, whose hub is at {self.hub.url}")

    async def find(self, name: str) -> Found:
        entry = await self.get(name)
        contract = read_contract(entry["name"], entry.get("contract"))
        return Found(entry["name"], entry["node"], entry.get("bench"), contract)

    async def access(self, node: str, services: Sequence[str], lease: Optional[str]) -> Access:
        """Opens a node for these services of it, and the bench's parts to who holds its lease."""
        body: Dict[str, Any] = {"services": [f"{node}/{name}" for name in services]}
        if lease is not None:
            body["lease"] = lease
        given = await self.hub.ask("POST", "/directory/tokens", body=body)
        try:
            ends_at = time.monotonic() + float(given["lastsMs"]) / 1000
            addresses = [*given["addresses"], f"{BY_HUB}{node}"]
            return Access(addresses, str(given["token"]), ends_at, gone_since=given.get("goneSince"))
        except (KeyError, TypeError, ValueError) as error:
            raise LabError("unexpected-answer", "the hub answered what is no token", kind="link") from error

    def hold(self, bench: str, reason: str = "") -> AskedHold:
        """Takes a bench for a reason, by ``take``, which raises ``bench-busy``."""
        return AskedHold(self.hub, bench, reason)

    async def renew(self, bench: str, lease: str) -> None:
        """Renews a hold that was taken."""
        await self.hub.ask("POST", path_of("benches", bench, "lease"), body={"ttlS": HOLD_S, "lease": lease})

    async def release(
        self, bench: str, lease: Optional[str], reason: Optional[str] = None, since: Optional[str] = None
    ) -> None:
        """Without a lease, the caller's own; where there is none, with a reason and the permission, whoever's it is.

        Where it is held since another time than ``since``, it raises ``hold-changed``.
        """
        query = {"lease": lease, "reason": reason, "since": since}
        await self.hub.ask("DELETE", path_of("benches", bench, "lease"), query=query)


def require_name(name: Any) -> None:
    """Raises ``call-invalid`` where it can be the name of no service."""
    if not isinstance(name, str) or not name.strip():
        given = repr(name) if name is None or isinstance(name, str) else f"a {type(name).__name__}"
        raise call_invalid(f"the name of a service is wanted, such as bench3.scope, and {given} was given")


def names_of(given: Any) -> List[Any]:
    """What is to be locked or unlocked; raises ``call-invalid`` where nothing is, or no list was given."""
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        shown = repr(given) if given is None or isinstance(given, str) else f"a {type(given).__name__}"
        raise call_invalid(f"a list of services is wanted, as [supply, meter], and {shown} was given")
    listed = list(given)
    if not listed:
        raise call_invalid("at least one service is to be named, and the list is empty")
    return listed


def parts_of(name: str) -> Tuple[Optional[str], Optional[str], str]:
    """Site, node and service of a name, ``<node>/<service>`` or a full address; None for what it does not say."""
    require_name(name)
    full = _ADDRESS.fullmatch(name)
    if full is not None:
        return full.group(1), full.group(2), full.group(3)
    if "://" in name:
        raise LabError("address-wrong", f"{name!r} is no address of a service: fernlab://site/node/service")
    node, slash, service = name.rpartition("/")
    return None, node if slash else None, service


def short_name(name: str) -> str:
    """``<node>/<service>`` of a full address; another name as it is."""
    site, node, service = parts_of(name)
    return name if site is None else f"{node}/{service}"


async def named_by(search: Callable[..., Awaitable[List[Dict[str, Any]]]], name: str) -> List[str]:
    """``<node>/<service>`` of each that a directory has by that name; see ``AsyncDirectory.named``."""
    name = short_name(name)
    if not re.search(r"[*?]", name):
        return [name]
    node, _, pattern = name.rpartition("/")
    found = [f"{one['node']}/{one['name']}" for one in await search(pattern=pattern)]
    meant = [one for one in found if not node or one.startswith(f"{node}/")]
    if not meant:
        raise LabError("service-unknown", f"there is no service {name}")
    return meant


def tags_of(tags: Tags) -> Optional[List[str]]:
    return None if tags is None else [tags] if isinstance(tags, str) else list(tags)


def _list_of(answer: Any) -> List[Dict[str, Any]]:
    items = answer.get("items") if isinstance(answer, dict) else None
    if not isinstance(items, list):
        raise LabError("unexpected-answer", "the directory answered what is no list", kind="link")
    return items

"""The directory of a node alone, for labs without a hub: searched as that of a hub is."""
from __future__ import annotations

from typing import Any, Dict, List, Optional

from .contract import CONTRACT
from .directory import Tags, named_by, short_name, tags_of
from .errors import LabError
from .lab import lab_of


class AsyncNodeDirectory:
    """The services of one node, for programs of asyncio: ``address`` is that of the node, or the path of its Unix socket."""

    def __init__(self, address: str, token: Optional[str] = None, ca: Optional[str] = None) -> None:
        self.address = address
        self._token = token
        self._ca = ca

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.address!r})"

    async def search(
        self,
        name: Optional[str] = None,
        prefix: Optional[str] = None,
        pattern: Optional[str] = None,
        tag: Tags = None,
        any_tag: Tags = None,
        state: Optional[str] = None,
    ) -> List[Dict[str, Any]]:
        """As ``AsyncDirectory.search``; those that the token may read."""
        asked = {"name": name, "prefix": prefix, "pattern": pattern, "state": state}
        asked_tags = {"tag": tags_of(tag), "anyTag": tags_of(any_tag)}
        search = {key: value for key, value in {**asked, **asked_tags}.items() if value is not None}
        found = await self._call("node/directory", {"search": search})
        if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
            raise LabError("unexpected-answer", "the node answered what is no list of services", kind="link")
        return found

    async def named(self, name: str) -> List[str]:
        """As ``AsyncDirectory.named``."""
        return await named_by(self.search, name)

    async def get(self, name: str) -> Dict[str, Any]:
        """As ``AsyncDirectory.get``; raises ``service-unknown``."""
        node, _, service = short_name(name).rpartition("/")
        for entry in await self.search(name=service):
            # An address names its site as well.
            if node in ("", entry.get("node")) and ("://" not in name or entry.get("address") == name):
                return {**entry, "contract": await self._call(f"{service}/{CONTRACT}", None)}
        raise LabError("service-unknown", f"there is no service {name}")

    async def _call(self, method: str, params: Any) -> Any:
        lab = lab_of(None, self._token, self.address, self._ca)
        return await lab.node_itself(self.address).call(method, params, idempotent=True)

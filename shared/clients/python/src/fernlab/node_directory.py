"""The directory of nodes without a hub, for programs of asyncio: searched as that of a hub is."""
from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Tuple

from .contract import CONTRACT
from .directory import Tags, named_by, tags_of
from .errors import LabError
from .lab import Lab, lab_of_nodes
from .nodes_directory import ANSWER_S, Named, NodesDirectory, node_at


class AsyncNodesDirectory:
    """The services of several nodes: each named by its address, or by its address and the token that it signed.

    ``[("ws://bench-pi:8090", token), "/var/lib/fernlab/nodes/pi-2/services.sock"]``
    """

    def __init__(self, nodes: Sequence[Named], ca: Optional[str] = None) -> None:
        self.nodes = tuple(node_at(one) for one in nodes)
        #: Of the search before, by address: those that have not answered within 5 s, and why.
        self.unanswered: Dict[str, LabError] = {}
        self._ca = ca

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(node.address for node in self.nodes)!r})"

    async def search(
        self,
        name: Optional[str] = None,
        prefix: Optional[str] = None,
        pattern: Optional[str] = None,
        tag: Tags = None,
        any_tag: Tags = None,
        state: Optional[str] = None,
    ) -> List[Dict[str, Any]]:
        """As ``AsyncDirectory.search``; those that the tokens may read. Raises what nodes say where none answers."""
        asked = {"name": name, "prefix": prefix, "pattern": pattern, "state": state}
        asked_tags = {"tag": tags_of(tag), "anyTag": tags_of(any_tag)}
        search = {key: value for key, value in {**asked, **asked_tags}.items() if value is not None}
        lab, directory = self._lab()
        answers = await directory.search(search, lab.connection_at)
        self.unanswered = answers.unanswered
        return sorted((entry for entry, _ in answers.some()), key=lambda entry: (entry["node"], entry["name"]))

    async def named(self, name: str) -> List[str]:
        """As ``AsyncDirectory.named``."""
        return await named_by(self.search, name)

    async def get(self, name: str) -> Dict[str, Any]:
        """As ``AsyncDirectory.get``; raises ``service-unknown``, ``site-foreign``, and ``service-ambiguous`` where several nodes
        have one of that name."""
        lab, directory = self._lab()
        entry, address = await directory.entry(name, lab.connection_at)
        method = f"{entry['name']}/{CONTRACT}"
        return {**entry, "contract": await lab.connection_at(address).call(method, None, ANSWER_S, True)}

    async def close(self) -> None:
        """Ends its links, which proxies of the same nodes share; what is called later opens them anew."""
        await self._lab()[0].close()

    def _lab(self) -> Tuple[Lab, NodesDirectory]:
        return lab_of_nodes(self.nodes, self._ca)


class AsyncNodeDirectory(AsyncNodesDirectory):
    """The services of one node: ``address`` is that of the node, or the path of its Unix socket."""

    def __init__(self, address: str, token: Optional[str] = None, ca: Optional[str] = None) -> None:
        super().__init__([(address, token)], ca)
        self.address = address

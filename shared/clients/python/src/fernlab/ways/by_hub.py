"""By way of the hub, which hands on what it does not read: ``hub:<node>``, for a node that nothing nearer leads to."""
from __future__ import annotations

from ..errors import LabError
from ..hub import Hub, path_of, refusal
from ..links.websocket import connect_websocket
from ..rpc.link import Link
from .way import ANSWER_S, BY_HUB, Way


class ByHubWay(Way):
    #: What the hub hands on goes over its broker.
    kind = "mqtt"

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def takes(self, address: str) -> bool:
        return address.startswith(BY_HUB)

    async def connect(self, address: str) -> Link:
        hub = self._hub
        url = hub.address_of(path_of("nodes", address[len(BY_HUB) :], "services")).replace("http", "ws", 1)
        try:
            return await connect_websocket(url, "cbor", hub.ca, ANSWER_S, hub.authorization)
        except LabError as error:
            response = getattr(error.__cause__, "response", None)
            if response is None:
                raise
            raise refusal(hub.url, response.status_code, bytes(response.body or b"")) from None

"""The same for programs without asyncio: each call waits for its answer."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, TypeVar, Union

from . import words
from .background import background
from .contract import EVENTS, Contract
from .directory import AsyncDirectory, names_of
from .errors import LabError
from .hub import Hub
from .locks import GRACE_S, AsyncLock
from .node_directory import AsyncNodesDirectory
from .nodes_directory import Named, nodes_of
from .proxy import Met, Service, arguments_of, dressed, in_thread, made, meet, meet_all, unlock_all
from .rpc.batch import Outcome
from .rpc.calls import TIMEOUT_S

_Entered = TypeVar("_Entered", bound="Proxy")


class Proxy(Met):
    """A service as an object: ``scope = Proxy("bench3.scope")``, ``scope.autoscale()``, ``scope.voltage``.

    ``name`` is that of the directory, ``<node>/<service>``, or ``fernlab://<site>/<node>/<service>``. ``hub`` and ``token``
    are those of ``FERNLAB_HUB`` and ``FERNLAB_TOKEN`` unless given. Without a hub, ``address`` is that of the node
    (``ws://…/rpc``, or the path of its Unix socket), and ``token`` one of the node's; of several nodes ``nodes`` has each, as
    its address or ``(address, token)``. What a full address says of site and node is held against what the nodes say.

    Each action is a method with the contract's arguments; one that gives items is a generator. A signal is read as an
    attribute, and set by assigning to it. ``timeout`` of each call is in seconds. A ``contract`` that was kept from earlier
    (``proxy.contract``) refuses a service that has changed, with ``contract-changed``.
    """

    def __new__(
        cls,
        name: str,
        hub: Union[str, Hub, None] = None,
        token: Optional[str] = None,
        *,
        address: Optional[str] = None,
        ca: Optional[str] = None,
        timeout: Optional[float] = TIMEOUT_S,
        contract: Optional[Contract] = None,
        nodes: Optional[Sequence[Named]] = None,
    ) -> Any:
        met = meet(name, hub, token, address, ca, timeout, contract, nodes)
        return made_plain(background().run(met))

    # Type checkers would take it as leave to set anything.
    if not TYPE_CHECKING:

        def __setattr__(self, name: str, value: Any) -> None:
            # A word that was mistyped would silently not count.
            found = getattr(type(self), name, None)
            if not isinstance(found, property) or found.fset is None:
                raise AttributeError(words.no_member(name, self.name, self.contract, to_set=True))
            found.fset(self, value)

    def __enter__(self: _Entered) -> _Entered:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def read(self, *signals: str) -> Any:
        """The value of one signal; of several a dict by name."""
        return background().run(self._service.read(signals))

    def readings(self, *signals: str) -> Dict[str, Dict[str, Any]]:
        """Values with the times (epoch seconds) at which they were read: ``{"voltage": {"value": 1.5, "time": …}}``."""
        return background().run(self._service.readings(signals))

    def set(self, signal: str, value: Any) -> None:
        """The same as assigning to the attribute. A number is in the unit of the signal; ``"1500 mV"`` and
        ``{"value": 1500, "unit": "mV"}`` are converted to it."""
        background().run(self._service.set(signal, value))

    def follow(self, *signals: str, rate: Optional[float] = None) -> Iterator[Any]:
        """Readings as they come, ``rate`` times a second; leave the loop to end it.

        Whoever has the bench of an instrument that samples by itself gets its samples instead, many in one item:
        ``{"time": array, "columns": {"voltage": array}}``, arrays of float64 of one length, times in epoch seconds.
        """
        return background().iterate(self._service.follow(signals, rate))

    def events(self, *names: str) -> Iterator[Any]:
        """Events as they come; leave the loop to end it."""
        return background().iterate(self._service.stream(EVENTS, {"events": list(names)}))

    def batch(self, calls: Sequence[Tuple[str, Dict[str, Any]]], stop: bool = False) -> List[Outcome]:
        """Actions, each ``(name, arguments)``, one after another in one message; ``stop``: none after the first error."""
        return background().run(self._service.batch(calls, stop))

    def lock(self, reason: str = "", grace: float = GRACE_S, session: Optional[str] = None) -> "Lock":
        """``with scope.lock("sweep"):`` nobody else uses it; with a part of a bench the bench is held.

        With the id of an own live session it is that session's bench, for as long as it has it.
        """
        return lock([self], reason, grace, session)

    def unlock(self, reason: Optional[str] = None, seen: Optional[str] = None) -> None:
        """Ends own locks of it, of whatever program; with a part of a bench the bench. See ``fernlab.unlock``.

        Where it is locked since another time than ``seen``, an entry's ``lockedBy["since"]``, it raises ``hold-changed``.
        """
        unlock([self], reason, {} if seen is None else {self.name: seen})

    def of_node(self, action: str, arguments: Optional[Mapping[str, Any]] = None) -> Any:
        """Calls the service ``node`` of its node over the same link: ``fit.of_node("log", {"service": "fit", "lines": 20})``."""
        return background().run(self._service.of_node(action, arguments))

    def close(self) -> None:
        """Ends its links, which proxies of the same hub and token share; what is called later opens them anew."""
        background().run(self._service.lab.close())

    @staticmethod
    def _signal(name: str, signal: Dict[str, Any]) -> property:
        access = signal.get("access")

        def read(self: "Proxy") -> Any:
            return self.read(name)

        def write(self: "Proxy", value: Any) -> None:
            self.set(name, value)

        document = words.document_of_signal(name, signal)
        return property(None if access == "set" else read, None if access == "read" else write, None, document)


class Directory:
    """The directory of a hub: which services there are, where, and how they stand.

    ``hub`` is its address, else ``FERNLAB_HUB``; ``token`` one of yours, else ``FERNLAB_TOKEN``. Without a hub, ``address``
    is that of a node (``ws://lab-pi.local:8090``, or the path of its Unix socket), and ``token`` one of the node's; of several
    nodes ``nodes`` has each, as its address or ``(address, token)``.
    """

    _directory: Union[AsyncDirectory, AsyncNodesDirectory]

    def __init__(
        self,
        hub: Union[str, Hub, None] = None,
        token: Optional[str] = None,
        ca: Optional[str] = None,
        *,
        address: Optional[str] = None,
        nodes: Optional[Sequence[Named]] = None,
    ) -> None:
        named = nodes_of(address, token, nodes, hub)
        self._directory = AsyncDirectory(hub, token, ca) if named is None else AsyncNodesDirectory(named, ca)

    def __repr__(self) -> str:
        return repr(self._directory).replace(type(self._directory).__name__, type(self).__name__, 1)

    @property
    def unanswered(self) -> Dict[str, LabError]:
        """Of the search before in a lab without a hub: nodes that have not answered within 5 s, by address, and why."""
        return {} if isinstance(self._directory, AsyncDirectory) else self._directory.unanswered

    def search(self, *args: Any, **options: Any) -> List[Dict[str, Any]]:
        return background().run(self._directory.search(*args, **options))

    def get(self, name: str) -> Dict[str, Any]:
        return background().run(self._directory.get(name))

    search.__doc__ = AsyncDirectory.search.__doc__
    get.__doc__ = AsyncDirectory.get.__doc__


class Lock:
    """A lock that is taken by ``with``, or by ``take`` and ``release``."""

    def __init__(self, taken: AsyncLock) -> None:
        self._lock = taken

    @property
    def lost(self) -> Any:
        """Why the lock was lost, if it was."""
        return self._lock.lost

    def until_lost(self, timeout: Optional[float] = None) -> Any:
        """Waits until the lock is lost, and gives why; None when it was given back, or after ``timeout`` seconds."""
        return background().run(self._lock.until_lost(timeout))

    def take(self) -> None:
        background().run(self._lock.take())

    def release(self) -> None:
        background().run(self._lock.release())

    def __enter__(self) -> "Lock":
        self.take()
        return self

    def __exit__(self, *_: Any) -> None:
        self.release()


def lock(
    proxies: Sequence[Union[Proxy, str]], reason: str = "", grace: float = GRACE_S, session: Optional[str] = None
) -> Lock:
    """Locks all of them, or none: ``with fernlab.lock([supply, meter], "sweep"):``.

    Names will do as well, with ``*`` for any text: ``fernlab.lock(["bench3.*"])``; they are looked up at ``FERNLAB_HUB``.

    Others are told the reason. It ends when the program has been gone for ``grace`` seconds. With the id of an own live
    ``session`` the bench is the one that it has, for as long as it has it.
    """
    services = [one for given in names_of(proxies) for one in _services(given)]
    return Lock(AsyncLock([(one.found.name, one.group) for one in services], reason, grace, session))


def unlock(
    proxies: Sequence[Union[Proxy, str]], reason: Optional[str] = None, seen: Optional[Mapping[str, str]] = None
) -> None:
    """Ends locks of the same person, of whatever program: ``fernlab.unlock([supply, "pi/fit"])``.

    With the permission and a reason it ends those of others, which the audit log keeps; a bench goes to its safe state.
    Names are looked up at ``FERNLAB_HUB``. Raises ``not-locked``, ``service-locked``, or what a hub says of the bench.

    ``seen`` has since when some are locked, as the ``lockedBy["since"]`` of a directory's entry: a name as it is given, or
    the ``name`` of a proxy. Where one is locked since another time nothing is ended from there on, and it raises
    ``hold-changed``, which says who has it now. Benches are ended one after another, then the services of each node together.
    """
    background().run(unlock_all(proxies, reason, seen))


def _services(given: Union[Proxy, str]) -> List[Service]:
    return [given._service] if isinstance(given, Proxy) else background().run(meet_all(given, Hub()))


def made_plain(service: Service) -> Any:
    return made(Proxy, service, _action)


def _action(name: str, action: Dict[str, Any], service: str) -> Any:
    signature = words.signature_of(action)
    idempotent = bool(action.get("idempotent"))

    def params_of(args: Sequence[Any], given: Dict[str, Any]) -> Dict[str, Any]:
        params = arguments_of(signature, action, args, given)
        return {key: in_thread(value) if callable(value) else value for key, value in params.items()}

    def call(self: Any, /, *args: Any, **given: Any) -> Any:
        return background().run(self._service.call(name, params_of(args, given), idempotent))

    def stream(self: Any, /, *args: Any, **given: Any) -> Iterator[Any]:
        return background().iterate(self._service.stream(name, params_of(args, given)))

    return dressed(stream if "items" in action else call, name, action, service)

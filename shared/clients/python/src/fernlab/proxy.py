"""Services as objects of Python: methods with signatures and docstrings, made of the service's contract."""
from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any, AsyncIterator, Callable, Dict, List, Mapping, Optional, Sequence, Tuple, Type, Union

from . import words
from .contract import EVENTS, FOLLOW, READ, SET, Contract, require_compatible
from .directory import AsyncDirectory, Found, names_of, require_name
from .end_locks import Ending, end_locks
from .errors import LabError
from .hub import Hub
from .lab import Group, Lab, lab_of, lab_of_nodes
from .locks import GRACE_S, AsyncLock
from .nodes_directory import Named, nodes_of
from .rpc.batch import Outcome
from .rpc.calls import TIMEOUT_S
from .typed_lists import with_typed_arrays, with_typed_calls
from .ways.way import WayInUse

#: How long a node keeps what is followed when the link breaks.
LINGER_S = 30.0
Make = Callable[[str, Dict[str, Any], str], Callable[..., Any]]


class Service:
    """One service, met: what proxies of both kinds call by."""

    def __init__(self, found: Found, group: Group, lab: Lab, timeout: Optional[float]) -> None:
        self.found = found
        self.group = group
        self.lab = lab
        self.timeout = timeout

    async def call(self, member: str, params: Any, idempotent: bool = False) -> Any:
        method = f"{self.found.name}/{member}"
        try:
            return await self.group.connection.call(method, params, self.timeout, idempotent, self.found.contract)
        except LabError as error:
            told = await self.group.who.amended(error, f"{self.found.node}/{self.found.name}")
            if told is error:
                raise
            raise told from error

    def stream(self, member: str, params: Any) -> AsyncIterator[Any]:
        method = f"{self.found.name}/{member}"
        return self.group.connection.stream(method, params, linger=LINGER_S, contract=self.found.contract)

    async def readings(self, signals: Sequence[str]) -> Dict[str, Dict[str, Any]]:
        return await self.call(READ, {"signals": list(signals)}, True)

    async def read(self, signals: Sequence[str]) -> Any:
        readings = await self.readings(signals)
        values = {name: reading["value"] for name, reading in readings.items()}
        return values[signals[0]] if len(signals) == 1 else values

    async def set(self, signal: str, value: Any) -> None:
        await self.call(SET, {"signal": signal, "value": value})

    def follow(self, signals: Sequence[str], rate: Optional[float]) -> AsyncIterator[Any]:
        return self.stream(FOLLOW, {"signals": list(signals), **({} if rate is None else {"rateHz": rate})})

    async def batch(self, calls: Sequence[Tuple[str, Dict[str, Any]]], stop: bool) -> List[Outcome]:
        typed = with_typed_calls(self.found.contract, calls)
        full = [(f"{self.found.name}/{action}", params) for action, params in typed]
        return await self.group.connection.batch(full, stop, self.timeout, self.found.contract)

    async def of_node(self, action: str, arguments: Optional[Mapping[str, Any]]) -> Any:
        return await self.group.connection.call(f"node/{action}", dict(arguments or {}), self.timeout)


async def meet(
    name: str,
    hub: Union[str, Hub, None],
    token: Optional[str],
    address: Optional[str],
    ca: Optional[str],
    timeout: Optional[float],
    contract: Optional[Contract],
    nodes: Optional[Sequence[Named]] = None,
) -> Service:
    require_name(name)
    named = nodes_of(address, token, nodes, hub)
    lab = lab_of(hub, token, ca) if named is None else lab_of_nodes(named, ca)[0]
    found, group = await lab.find(name)
    if contract is not None:
        require_compatible(found.name, contract, found.contract)
    return Service(found, group, lab, timeout)


async def meet_named(name: str) -> Service:
    """The one that ``FERNLAB_HUB`` has by that name."""
    return await meet(name, None, None, None, None, TIMEOUT_S, None)


async def meet_all(name: str, hub: Hub) -> List[Service]:
    """Those that are meant by a name with ``*`` and ``?``."""
    names = await AsyncDirectory(hub).named(name)
    return [await meet(one, hub, None, None, None, TIMEOUT_S, None) for one in names]


class Met:
    """What both kinds of proxies say of their service."""

    _service: Service

    # Type checkers would take any attribute for one that is there.
    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            # Also of a proxy that is not made yet, as when one is copied.
            if name.startswith("_"):
                raise AttributeError(name)
            raise AttributeError(self._no_member(name))

    def _no_member(self, name: str) -> str:
        found = self._service.found
        return words.no_member(name, found.name, found.contract)

    def __repr__(self) -> str:
        found = self._service.found
        return f"<{found.name} on {found.node}: {found.contract['kind']} {found.contract['version']}>"

    @property
    def name(self) -> str:
        """Its name at its node, as ``bench3.scope``."""
        return self._service.found.name

    @property
    def contract(self) -> Contract:
        """What the service can do, as data."""
        return self._service.found.contract

    @property
    def way(self) -> Optional[WayInUse]:
        """By which link its node is reached now; None before the first call and while none is open."""
        return self._service.group.connection.way


class AsyncProxy(Met):
    """A service, for programs of asyncio: ``scope = await AsyncProxy.connect("bench3.scope")``, ``await scope.autoscale()``.

    Each action is a coroutine, or an asynchronous generator where it gives items. Signals: ``read``, ``set``, ``follow``.
    """

    #: A signal can't be an attribute: what is awaited can't be assigned to.
    _signal = None

    def __new__(cls, *_: Any, **__: Any) -> "AsyncProxy":
        raise TypeError("use: await AsyncProxy.connect(name)")

    @staticmethod
    async def connect(
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
        """See ``Proxy``."""
        return made_async(await meet(name, hub, token, address, ca, timeout, contract, nodes))

    def _no_member(self, name: str) -> str:
        signals = self.contract["signals"]
        return f"{name} is read by: await proxy.read({name!r})" if name in signals else super()._no_member(name)

    # Type checkers would take it as leave to set anything.
    if not TYPE_CHECKING:

        def __setattr__(self, name: str, value: Any) -> None:
            raise AttributeError(f"{name} is set by: await proxy.set({name!r}, …)")

    async def read(self, *signals: str) -> Any:
        """The value of one signal; of several a dict by name."""
        return await self._service.read(signals)

    async def readings(self, *signals: str) -> Dict[str, Dict[str, Any]]:
        """Values with the times (epoch seconds) at which they were read: ``{"voltage": {"value": 1.5, "time": …}}``."""
        return await self._service.readings(signals)

    async def set(self, signal: str, value: Any) -> None:
        """A number is in the unit of the signal; ``"1500 mV"`` and ``{"value": 1500, "unit": "mV"}`` are converted to it."""
        await self._service.set(signal, value)

    def follow(self, *signals: str, rate: Optional[float] = None) -> AsyncIterator[Any]:
        """Readings as they come, ``rate`` times a second; of hardware that samples by itself, blocks. See ``Proxy.follow``."""
        return self._service.follow(signals, rate)

    def events(self, *names: str) -> AsyncIterator[Any]:
        return self._service.stream(EVENTS, {"events": list(names)})

    async def batch(self, calls: Sequence[Tuple[str, Dict[str, Any]]], stop: bool = False) -> List[Outcome]:
        """Actions, each ``(name, arguments)``, one after another in one message; ``stop``: none after the first error."""
        return await self._service.batch(calls, stop)

    def lock(self, reason: str = "", grace: float = GRACE_S, session: Optional[str] = None) -> AsyncLock:
        """``async with scope.lock("sweep"):`` nobody else uses it; with a part of a bench the bench is held.

        With the id of an own live session it is that session's bench, for as long as it has it.
        """
        return AsyncLock([(self._service.found.name, self._service.group)], reason, grace, session)

    async def unlock(self, reason: Optional[str] = None, seen: Optional[str] = None) -> None:
        """See ``Proxy.unlock``."""
        await async_unlock([self], reason, {} if seen is None else {self.name: seen})

    async def of_node(self, action: str, arguments: Optional[Mapping[str, Any]] = None) -> Any:
        """See ``Proxy.of_node``."""
        return await self._service.of_node(action, arguments)

    async def close(self) -> None:
        await self._service.lab.close()


async def async_unlock(
    given: Sequence[Union[AsyncProxy, str]], reason: Optional[str] = None, seen: Optional[Mapping[str, str]] = None
) -> None:
    """``fernlab.unlock`` for programs of asyncio: ``await fernlab.async_unlock([supply, "pi/fit"])``."""
    await unlock_all(given, reason, seen)


async def unlock_all(
    given: Sequence[Union[Met, str]], reason: Optional[str], seen: Optional[Mapping[str, str]]
) -> None:
    """What is in ``seen`` is named as it is given, a proxy by its ``name``."""
    ending: List[Ending] = []
    left = dict(seen or {})
    for one in names_of(given):
        name = one if isinstance(one, str) else one.name
        service = await meet_named(one) if isinstance(one, str) else one._service
        ending.append(Ending(service.found.name, service.group, (seen or {}).get(name)))
        left.pop(name, None)
    if left:
        raise LabError("call-invalid", f"seen: {', '.join(left)} is not among what is to be unlocked")
    await end_locks(ending, reason)


def made(base: Type[Any], service: Service, make: Make) -> Any:
    """An object of a class that has the contract's members; where the base has one of that name, it is in ``do``."""
    contract = service.found.contract
    actions = {words.python_name(name): make(name, one, service.found.name) for name, one in contract["actions"].items()}
    members: Dict[str, Any] = {
        words.python_name(name): base._signal(name, signal)
        for name, signal in contract["signals"].items()
        if base._signal is not None
    }
    members.update(actions)
    members = {name: member for name, member in members.items() if not hasattr(base, name)}
    do = type("Actions", (), {"__doc__": "Each action by its name.", **actions})()
    do._service = service  # type: ignore[attr-defined]
    members.update(__doc__=words.document_of_service(service.found.name, contract), _service=service, do=do)
    return object.__new__(type(base.__name__, (base,), members))


def made_async(service: Service) -> Any:
    return made(AsyncProxy, service, _async_action)


def arguments_of(signature: Any, action: Dict[str, Any], args: Sequence[Any], given: Dict[str, Any]) -> Dict[str, Any]:
    bound = signature.bind(None, *args, **given).arguments
    names = {words.python_name(name): name for name in action["arguments"]}
    arguments = {names[key]: value for key, value in bound.items() if key in names}
    return with_typed_arrays(action["arguments"], arguments)


def dressed(function: Any, name: str, action: Dict[str, Any], service: str) -> Any:
    function.__name__ = words.python_name(name)
    function.__qualname__ = f"{service}.{function.__name__}"
    function.__doc__ = words.document_of(name, action)
    function.__signature__ = words.signature_of(action)
    return function


def _async_action(name: str, action: Dict[str, Any], service: str) -> Any:
    signature = words.signature_of(action)
    idempotent = bool(action.get("idempotent"))

    async def call(self: Any, /, *args: Any, **given: Any) -> Any:
        params = arguments_of(signature, action, args, given)
        return await self._service.call(name, params, idempotent)

    def stream(self: Any, /, *args: Any, **given: Any) -> AsyncIterator[Any]:
        return self._service.stream(name, arguments_of(signature, action, args, given))

    return dressed(stream if "items" in action else call, name, action, service)


def in_thread(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that may make plain calls while the loop waits for it."""
    @functools.wraps(function, updated=())
    async def elsewhere(*args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(None, lambda: function(*args))

    return elsewhere


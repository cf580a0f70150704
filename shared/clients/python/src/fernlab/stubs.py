"""A module of named services with their types, made of their contracts: editors complete it, type checkers know its calls.

What it declares is there for these alone; what it makes when it runs are the proxies of this package.
"""
from __future__ import annotations

import inspect
import math
import re
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Type

from . import words
from .contract import Contract
from .plain import Proxy
from .proxy import AsyncProxy

#: How a module begins that was made here, and may be made anew.
MARK = '"""Services of a Fernlab with their types, made by ``python -m fernlab stubs``'
_SIMPLE = {"number": "float", "integer": "int", "string": "str", "boolean": "bool", "none": "None"}
_TYPING = ("Any", "AsyncIterator", "Dict", "Iterator", "List", "Literal", "Mapping", "Optional", "Sequence", "Union")
_WHERE = (
    "hub: Union[str, Hub, None] = None, token: Optional[str] = None, *, address: Optional[str] = {address}, "
    "ca: Optional[str] = None, timeout: Optional[float] = 30.0, contract: Optional[Dict[str, Any]] = None, "
    "nodes: Optional[Sequence[Any]] = None"
)


class Described(NamedTuple):
    """A service, and the name by which programs find it."""

    name: str
    contract: Contract


def module_of(services: Sequence[Described], address: Optional[str] = None) -> str:
    """``address`` is that of their node, in a lab without a hub."""
    names = class_names([service.name for service in services])
    declared, made = [], []
    for name, service in zip(names, services):
        declared.extend(_declared(name, service.contract, service.name, address, Proxy))
        declared.extend(_declared(f"{name}Async", service.contract, service.name, address, AsyncProxy))
        given = repr(service.name) if address is None else f"{service.name!r}, address={address!r}"
        made.append(f"{name} = functools.partial(Proxy, {given})")
        made.extend([f"class {name}Async:", f"    connect = staticmethod(functools.partial(AsyncProxy.connect, {given}))"])
    body = "\n".join(["if TYPE_CHECKING:", *_indented(declared), "else:", *_indented(made)])
    typing = ["TYPE_CHECKING", *(name for name in _TYPING if re.search(rf"\b{name}\b", body))]
    head = [
        f'{MARK}; made anew when they have changed."""',
        "from __future__ import annotations\n",
        "import functools",
        f"from typing import {', '.join(typing)}\n",
        "from fernlab import AsyncProxy, Hub, Proxy\n",
    ]
    return "\n".join([*head, body, ""])


def class_names(names: Sequence[str]) -> List[str]:
    """``pi/bench3.scope`` is ``Bench3Scope``, with its node where two nodes have one; no two are the same."""
    short = [_camel(name.rpartition("/")[2]) for name in names]
    wanted = [_camel(name) if short.count(one) > 1 else one for one, name in zip(short, names)]
    taken: List[str] = []
    for one in wanted:
        free, count = one, 1
        # Beside each there is the one for asyncio.
        while free in taken or f"{free}Async" in taken or free[: -len("Async")] in taken:
            count += 1
            free = f"{one}{count}"
        taken.append(free)
    return taken


def _camel(name: str) -> str:
    parts = re.findall(r"[A-Za-z0-9]+", name)
    joined = "".join(part[0].upper() + part[1:] for part in parts)
    return joined if joined[:1].isalpha() and joined not in ("Proxy", "AsyncProxy", "Hub", *_TYPING) else f"Service{joined}"


def _declared(name: str, contract: Contract, service: str, address: Optional[str], base: Type[Any]) -> Iterable[str]:
    actions = {words.python_name(key): (key, action) for key, action in contract["actions"].items()}
    own = {key: one for key, one in actions.items() if key != "do" and not hasattr(base, key)}
    hidden = {key: one for key, one in actions.items() if key not in own}
    is_async = base is AsyncProxy
    yield f"class _{name}Actions:"
    yield from _indented(_actions(own, is_async) or ["..."])
    done = f"_{name}Actions"
    if hidden:
        yield f"class _{name}Do(_{name}Actions):"
        yield from _indented(_actions(hidden, is_async))
        done = f"_{name}Do"
    yield f"class {name}(_{name}Actions, {base.__name__}):"
    members = [*_docstring(words.document_of_service(service, contract)), "@property", f"def do(self) -> {done}: ..."]
    where = _WHERE.format(address=repr(address))
    if is_async:
        members.extend(["@staticmethod", f"async def connect({where}) -> {name}: ...  # type: ignore[override]"])
    else:
        members.append(f"def __new__(cls, {where}) -> {name}: ...")
        for key, signal in contract["signals"].items():
            attribute = words.python_name(key)
            if attribute not in actions and attribute != "do" and not hasattr(base, attribute):
                members.extend(_signal(attribute, key, signal))
    yield from _indented(members)


def _actions(actions: Mapping[str, Tuple[str, Dict[str, Any]]], is_async: bool) -> List[str]:
    lines: List[str] = []
    for name, (key, action) in actions.items():
        given, answer = _arguments(action), _answer(action, is_async)
        begin = "async def" if is_async and "items" not in action else "def"
        lines.append(f"{begin} {name}({given}) -> {answer}:")
        lines.extend(_indented([*_docstring(words.document_of(key, action)), "..."]))
    return lines


def _arguments(action: Mapping[str, Any]) -> str:
    specs = {words.python_name(name): spec for name, spec in action["arguments"].items()}
    said, is_by_name = ["self"], False
    for parameter in list(words.signature_of(action).parameters.values())[1:]:
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and not is_by_name:
            said.append("*")
            is_by_name = True
        spec = specs[parameter.name]
        default = f" = {_literal(spec['default'])}" if "default" in spec else ""
        said.append(f"{parameter.name}: {type_of(spec, is_given=True)}{default}")
    return ", ".join(said)


def _answer(action: Mapping[str, Any], is_async: bool) -> str:
    if "items" in action:
        return f"{'AsyncIterator' if is_async else 'Iterator'}[{type_of(action['items'])}]"
    return type_of(action.get("result", {"type": "none"}))


def _signal(name: str, key: str, signal: Mapping[str, Any]) -> List[str]:
    access, values = signal.get("access"), signal.get("values")
    spec = {"type": "any" if signal.get("shape") else signal.get("dtype"), **({"enum": values} if values else {})}
    held = type_of(spec)
    # Of one that is only set, too: checkers take the getter's type for both.
    lines = ["@property", f"def {name}(self) -> {held}:"]
    lines.extend(_indented([*_docstring(words.document_of_signal(key, signal)), "..."]))
    if access != "read":
        lines.extend([f"@{name}.setter", f"def {name}(self, value: {held}) -> None: ..."])
    return lines


def type_of(spec: Mapping[str, Any], is_given: bool = False) -> str:
    """What a checker can hold a value against; arrays are of numpy where that is there, and so anything."""
    kind = spec.get("type", "any")
    if kind == "string" and spec.get("enum"):
        return f"Literal[{', '.join(repr(str(value)) for value in spec['enum'])}]"
    if kind == "list":
        return f"{'Sequence' if is_given else 'List'}[{type_of(spec['items'], is_given)}]"
    if kind == "object":
        return f"{'Mapping' if is_given else 'Dict'}[str, Any]"
    if kind == "array" and spec.get("of") == "uint8" and not is_given:
        return "bytes"
    return _SIMPLE.get(str(kind), "Any")


def _literal(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return f"float({str(value)!r})"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_literal(one) for one in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key!r}: {_literal(one)}' for key, one in value.items())}}}"
    return repr(value)


def _docstring(text: str) -> List[str]:
    """A text of the contract stays text, whatever is in it."""
    safe = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    safe = "".join(one if one == "\n" or one.isprintable() else f"\\u{ord(one):04x}" for one in safe)
    lines = (f"{safe}\n" if "\n" in safe or safe.endswith('"') else safe).split("\n")
    return [f'"""{lines[0]}', *lines[1:-1], f'{lines[-1]}"""'] if len(lines) > 1 else [f'"""{lines[0]}"""']


def _indented(lines: Iterable[str]) -> List[str]:
    return [f"    {line}" if line else line for line in lines]

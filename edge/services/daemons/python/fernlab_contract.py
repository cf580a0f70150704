"""The contract of a class, from the types and docstrings of its methods."""

import array
import collections.abc
import inspect
import re
import typing

import fernlab_service
from fernlab_values import numpy_if_used

_PLAIN = {float: "number", int: "integer", str: "string", bool: "boolean"}
_SEQUENCES = (list, tuple, collections.abc.Sequence, collections.abc.Iterable)
_ITEMS = (
    collections.abc.Iterator,
    collections.abc.Iterable,
    collections.abc.Generator,
    collections.abc.AsyncIterator,
    collections.abc.AsyncIterable,
    collections.abc.AsyncGenerator,
)
_UNIONS = (typing.Union, getattr(__import__("types"), "UnionType", typing.Union))
#: Methods that Python itself calls, and the end of the object.
LIFE = ("close",)


class ContractWrong(Exception):
    """The class can not be a service."""


def contract_of(service):
    """The contract, and by action what its arguments are."""
    actions = {}
    signals = {}
    events = {}
    for name in sorted(name for name in dir(service) if not name.startswith("_") and name not in LIFE):
        member = inspect.getattr_static(service, name)
        if isinstance(member, (staticmethod, classmethod)):
            member = member.__func__
        if inspect.isfunction(member):
            actions[name] = _action(name, member, isinstance(inspect.getattr_static(service, name), staticmethod))
        elif isinstance(member, property):
            signals[name] = _signal(name, member)
        elif isinstance(member, fernlab_service.Event):
            events[name] = {"value": _spec(_resolved(member.value), f"event {name}"), **_title(member.title)}
    named = re.sub(r"(?<!^)(?=[A-Z])", "-", service.__name__).lower()
    title = (inspect.getdoc(service) if service.__doc__ else None) or ""
    return {
        "kind": _fact(service, "kind", named),
        "version": _fact(service, "version", "1.0"),
        **_title(title.split("\n", 1)[0]),
        "actions": actions,
        "signals": signals,
        "events": events,
    }


def require_parameters(service, given):
    """Raises ContractWrong for a parameter that is of another type than ``__init__`` says; its value may be a secret.

    What has no type, or one that node.yaml has no form for, is taken as it is.
    """
    try:
        hints = typing.get_type_hints(service.__init__)
    except Exception:
        return  # types that can't be read, as those of names which only a type checker has, bind nobody
    for name, value in given.items():
        if value is not None and not _fits(hints.get(name, typing.Any), value):
            base, _ = _base(hints[name])
            wanted = base.__name__ if isinstance(base, type) else str(base).replace("typing.", "")
            if typing.get_origin(base) is typing.Literal:
                wanted = f"one of {', '.join(repr(one) for one in typing.get_args(base))}"
                raise ContractWrong(f"parameter {name} must be {wanted}")
            raise ContractWrong(f"parameter {name} must be {wanted}, and is {type(value).__name__}")


def _fits(hint, value):
    base, _ = _base(hint)
    origin = typing.get_origin(base)
    if origin in _UNIONS:
        return any(_fits(one, value) for one in typing.get_args(base))
    if origin is typing.Literal:
        return value in typing.get_args(base)
    if base is type(None):
        return False
    if base is bool or base is str:
        return isinstance(value, base)
    if base in (int, float):
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return is_number and (base is float or float(value).is_integer())
    if base in (list, dict) or origin in (list, dict):
        return isinstance(value, origin or base)
    return True


def _fact(service, name, otherwise):
    """What the class says of itself; an action or a signal of that name says nothing of it."""
    said = getattr(service, name, None)
    return otherwise if said is None or callable(said) or isinstance(said, property) else said


def _title(text):
    return {"title": text[:2000]} if text else {}


def _action(name, method, is_static):
    try:
        hints = typing.get_type_hints(method, include_extras=True)
    except Exception as error:
        raise ContractWrong(f"the types of {name} can not be read: {error}") from error
    parameters = list(inspect.signature(method).parameters.values())
    if not is_static:
        parameters = parameters[1:]
    arguments = {}
    for parameter in parameters:
        where = f"argument {parameter.name} of {name}"
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            raise ContractWrong(f"{where}: clients give arguments by name, so there can be no * and no /")
        spec = _spec(hints.get(parameter.name, typing.Any), where)
        if parameter.default is not parameter.empty:
            if spec["type"] not in _PLAIN.values() or not isinstance(parameter.default, (bool, int, float, str)):
                raise ContractWrong(f"{where} has a default, which only numbers, texts and booleans may have")
            spec["default"] = parameter.default
        arguments[parameter.name] = spec
    action = {"arguments": arguments}
    text = inspect.getdoc(method)
    if text:
        action["description"] = text[:2000]
    given = hints.get("return", typing.Any)
    if inspect.isgeneratorfunction(method) or inspect.isasyncgenfunction(method):
        base, _ = _base(given)
        inner = typing.get_args(base) if typing.get_origin(base) in _ITEMS else ()
        action["items"] = _spec(inner[0] if inner else typing.Any, f"what {name} gives")
    elif given is not type(None):
        action["result"] = _spec(given, f"the result of {name}")
    return action


def _signal(name, member):
    hint = typing.get_type_hints(member.fget, include_extras=True).get("return", typing.Any)
    base, extras = _base(hint)
    kind = "array" if _is_array(base) else _PLAIN.get(base)
    if kind is None:
        raise ContractWrong(f"signal {name} needs a type: a number, a text, a boolean or an array")
    facts, limits = _with_limits(extras, f"signal {name}")
    text = inspect.getdoc(member)
    return {
        "unit": "1",
        "shape": [],
        "kind": "reading",
        **_title(text.split("\n", 1)[0] if text else None),
        **facts,
        **limits,
        "dtype": kind,
        "access": "read" if member.fset is None else "read-set",
    }


def _with_limits(facts, where):
    """The facts of a signal without `minimum` and `maximum`, as arguments have them, and its limits."""
    rest = {name: fact for name, fact in facts.items() if name not in ("minimum", "maximum")}
    given = {
        side: facts[name] for side, name in (("low", "minimum"), ("high", "maximum")) if facts.get(name) is not None
    }
    if given and "limits" in rest:
        raise ContractWrong(f"{where} has limits, and minimum or maximum too: one of both says it")
    return rest, {"limits": given} if given else {}


def _base(hint):
    """The type without its Annotated, and the facts in that."""
    if not hasattr(hint, "__metadata__"):
        return hint, {}
    facts = {}
    for fact in hint.__metadata__:
        if isinstance(fact, dict):
            facts.update(fact)
    return hint.__origin__, facts


def _is_array(base):
    numpy = numpy_if_used()
    if numpy is not None and (base is numpy.ndarray or typing.get_origin(base) is numpy.ndarray):
        return True
    return base is array.array


def _resolved(hint):
    return type(None) if hint is None else hint


def _spec(hint, where):
    base, facts = _base(hint)
    if base in _PLAIN:
        return {"type": _PLAIN[base], **facts}
    if base is type(None):
        return {"type": "none"}
    if base in (bytes, bytearray):
        return {"type": "array", "of": "uint8"}
    if _is_array(base):
        return {"type": "array", "of": "float64", **facts}
    origin = typing.get_origin(base)
    if origin is typing.Literal:
        choices = list(typing.get_args(base))
        kinds = {_PLAIN.get(type(choice)) for choice in choices}
        if len(kinds) == 1 and None not in kinds:
            return {"type": kinds.pop(), "enum": choices, **facts}
    if origin in _SEQUENCES or base in _SEQUENCES:
        inner = typing.get_args(base)
        return {"type": "list", "items": _spec(inner[0] if inner else typing.Any, where), **facts}
    if base in (typing.Any, dict, object) or origin in (dict, *_UNIONS):
        return {"type": "any"}
    raise ContractWrong(f"{where} has a type that no contract can say: {base!r}")

"""Signatures and docstrings of Python, made of a contract."""
from __future__ import annotations

import difflib
import inspect
import keyword
from typing import Any, Dict, Mapping

_TYPES = {
    "number": float,
    "integer": int,
    "string": str,
    "boolean": bool,
    "list": list,
    "object": dict,
    "none": None,
}


def python_name(name: str) -> str:
    """``from`` is no name of Python: ``from_``."""
    return f"{name}_" if keyword.iskeyword(name) or name == "self" else name


def signature_of(action: Mapping[str, Any]) -> inspect.Signature:
    """Arguments in the contract's order; those with a default may be left out, and come by name after one that must be given."""
    parameters = [inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)]
    kind, has_default = inspect.Parameter.POSITIONAL_OR_KEYWORD, False
    for name, spec in action["arguments"].items():
        default = spec.get("default", inspect.Parameter.empty)
        if default is inspect.Parameter.empty and has_default:
            kind = inspect.Parameter.KEYWORD_ONLY
        has_default = has_default or default is not inspect.Parameter.empty
        annotation = annotation_of(spec)
        parameters.append(inspect.Parameter(python_name(name), kind, default=default, annotation=annotation))
    return inspect.Signature(parameters, return_annotation=answer_of(action))


def annotation_of(spec: Mapping[str, Any]) -> Any:
    if spec.get("type") == "array":
        return f"array of {spec.get('of')}"
    return _TYPES.get(spec.get("type", "any"), Any)


def answer_of(action: Mapping[str, Any]) -> Any:
    if "items" in action:
        return "stream"
    return annotation_of(action.get("result", {"type": "none"}))


def document_of(name: str, action: Mapping[str, Any]) -> str:
    parts = [_sentence(action.get("title") or name), _text(action.get("description"))]
    arguments = [f"    {python_name(key)}: {describe(spec)}" for key, spec in action["arguments"].items()]
    if arguments:
        parts.append("\n".join(["Arguments:", *arguments]))
    if "items" in action:
        parts.append(f"A stream; each item is {describe(action['items'])}")
    elif "result" in action:
        parts.append(f"Returns {describe(action['result'])}")
    if action.get("typicalS") is not None:
        parts.append(f"Takes about {action['typicalS']:g} s.")
    return "\n\n".join(part for part in parts if part)


def document_of_signal(name: str, signal: Mapping[str, Any]) -> str:
    unit = "" if signal.get("unit", "1") == "1" else f" in {signal['unit']}"
    words = f"{_sentence(signal.get('title') or name)} {signal.get('dtype')}{unit}, {signal.get('access')}"
    limits = signal.get("limits") or {}
    bounds = _bounds({"minimum": limits.get("low"), "maximum": limits.get("high")})
    values = signal.get("values")
    return words + bounds + (f", one of {', '.join(values)}" if values else "") + "."


def document_of_service(name: str, contract: Mapping[str, Any]) -> str:
    lines = [f"{_sentence(contract.get('title') or name)} {name}, {contract['kind']} {contract['version']}."]
    for title, entries in (("Actions", contract["actions"]), ("Signals", contract["signals"])):
        if entries:
            lines.append(f"{title}: {', '.join(python_name(key) for key in entries)}.")
    if contract["events"]:
        lines.append(f"Events: {', '.join(contract['events'])}.")
    return "\n\n".join(lines)


#: So many names stand in an error.
_MOST_NAMES = 20


def no_member(name: str, service: str, contract: Mapping[str, Any], to_set: bool = False) -> str:
    """What is said of an attribute that a proxy does not have, or of a signal that can't be set: those that there are."""
    signals = [key for key, one in contract["signals"].items() if not to_set or one.get("access") != "read"]
    what = "signal that can be set" if to_set else "signal or action"
    names = [python_name(key) for key in (signals if to_set else [*signals, *contract["actions"]])]
    near = difflib.get_close_matches(name, names, 1)
    names = [*near, *(one for one in names if one not in near)]
    shown = [*names[:_MOST_NAMES], "…"] if len(names) > _MOST_NAMES else names
    return f"{service} has no {what} {name!r}; it has {', '.join(shown) if shown else 'none'}"


def describe(spec: Mapping[str, Any]) -> str:
    """A value in words: ``number in V, from 0 to 30 (default 5). The output's voltage.``"""
    kind = spec.get("type", "any")
    words = f"array of {spec.get('of')}" if kind == "array" else "anything" if kind == "any" else str(kind)
    if kind == "none":
        words = "nothing"
    if kind == "list":
        words = f"list of {describe(spec['items'])}".rstrip(".")
    if kind == "object":
        words = "object with " + ", ".join(spec["members"]) if spec["members"] else "object"
    if spec.get("unit", "1") != "1":
        words += f" in {spec['unit']}"
    words += _bounds(spec)
    if "enum" in spec:
        words += ", one of " + ", ".join(str(value) for value in spec["enum"])
    if "default" in spec:
        words += f" (default {spec['default']!r})"
    more = " ".join(text for text in (_text(spec.get("title")), _text(spec.get("description"))) if text)
    return f"{words}. {more}".strip()


_BOUNDS: Dict[str, str] = {
    "minimum": "from {:g}",
    "exclusiveMinimum": "above {:g}",
    "maximum": "to {:g}",
    "exclusiveMaximum": "below {:g}",
    "multipleOf": "in steps of {:g}",
}


def _bounds(spec: Mapping[str, Any]) -> str:
    said = [text.format(spec[key]) for key, text in _BOUNDS.items() if spec.get(key) is not None]
    return f", {' '.join(said)}" if said else ""


def _text(text: Any) -> str:
    """In English where a text is there in several languages."""
    if isinstance(text, dict):
        return str(text.get("en") or next(iter(text.values()), ""))
    return str(text) if text else ""


def _sentence(text: Any) -> str:
    words = _text(text)
    return words if words.endswith((".", "?", "!")) else f"{words}."

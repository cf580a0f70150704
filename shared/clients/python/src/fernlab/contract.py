"""What a service can do, as data; and whether what is known of one still holds for the one that is met."""
from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

from .errors import LabError

#: The built-in members of a service.
CONTRACT, READ, SET = "contract.get", "signals.read", "signals.set"
FOLLOW, EVENTS = "signals.follow", "events.follow"

Contract = Dict[str, Any]
_NOTHING = {"type": "none"}


def read_contract(service: str, value: Any) -> Contract:
    """Raises ``unexpected-answer`` for what is no contract."""
    is_right = isinstance(value, dict) and all(isinstance(value.get(key), str) for key in ("kind", "version"))
    is_right = is_right and all(_is_table(value.get(key)) for key in ("actions", "signals", "events"))
    if is_right:
        is_right = all(_is_table(action.get("arguments")) for action in value["actions"].values())
    if not is_right:
        raise LabError("unexpected-answer", f"{service} says of itself what is no contract", kind="link")
    return value


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(entry, dict) for entry in value.values())


def require_compatible(service: str, known: Contract, met: Contract) -> None:
    """Raises ``contract-changed``, with both versions and each difference, where what is known would be misunderstood."""
    issues = differences(known, met)
    if not issues:
        return
    first = issues[0]
    more = "" if len(issues) == 1 else f" (and {len(issues) - 1} more)"
    raise LabError(
        "contract-changed",
        f"{service} is {met['kind']} {met['version']}, and this program was written for {known['kind']} "
        f"{known['version']}: {first['path']} {first['message']}{more}",
        issues=issues,
        details={"known": known["version"], "met": met["version"]},
    )


def differences(known: Contract, met: Contract) -> List[Dict[str, str]]:
    """What is sent may be wider at the service, what is received may have more members."""
    issues: List[Dict[str, str]] = []
    for name, action in known["actions"].items():
        path = f"actions.{name}"
        other = met["actions"].get(name)
        if other is None:
            _note(issues, path, "is not there")
            continue
        for argument, spec in action["arguments"].items():
            _compare(spec, other["arguments"].get(argument), f"{path}.arguments.{argument}", issues)
        for argument, spec in other["arguments"].items():
            if argument not in action["arguments"] and "default" not in spec:
                _note(issues, f"{path}.arguments.{argument}", "was not there, and must be given")
        for answer in ("result", "items"):
            _compare(action.get(answer, _NOTHING), other.get(answer, _NOTHING), f"{path}.{answer}", issues)
    _compare_signals(known, met, issues)
    for name, event in known["events"].items():
        _compare(event["value"], (met["events"].get(name) or {}).get("value"), f"events.{name}", issues)
    return issues


def _compare_signals(known: Contract, met: Contract, issues: List[Dict[str, str]]) -> None:
    for name, was in known["signals"].items():
        path, now = f"signals.{name}", met["signals"].get(name)
        if now is None:
            _note(issues, path, "is not there")
        elif now.get("dtype") != was.get("dtype"):
            _note(issues, path, f"was of type {was.get('dtype')}, and is of type {now.get('dtype')}")
        elif now.get("unit") != was.get("unit"):
            _note(issues, path, f"was in {was.get('unit')}, and is in {now.get('unit')}")
        elif now.get("shape") != was.get("shape"):
            _note(issues, path, "has another shape")
        elif now.get("access") not in (was.get("access"), "read-set"):
            _note(issues, path, f"was {was.get('access')}, and is {now.get('access')}")


def _compare(known: Mapping[str, Any], met: Optional[Mapping[str, Any]], path: str, issues: List[Dict[str, str]]) -> None:
    if met is None:
        _note(issues, path, "is not there")
        return
    was, now = known.get("type"), met.get("type")
    if "any" in (was, now):
        return
    if was != now:
        _note(issues, path, f"was {was}, and is {now}")
        return
    if known.get("unit", "1") != met.get("unit", "1"):
        _note(issues, path, f"was in {known.get('unit', '1')}, and is in {met.get('unit', '1')}")
    if was == "array" and known.get("of") != met.get("of"):
        _note(issues, path, f"was of {known.get('of')}, and is of {met.get('of')}")
    if was == "list":
        _compare(known["items"], met.get("items"), f"{path}[]", issues)
    if was == "object":
        for name, member in known["members"].items():
            other = met["members"].get(name)
            if other is not None or name not in known.get("optional", ()):
                _compare(member, other, f"{path}.{name}", issues)


def _note(issues: List[Dict[str, str]], path: str, message: str) -> None:
    issues.append({"path": path, "message": message})

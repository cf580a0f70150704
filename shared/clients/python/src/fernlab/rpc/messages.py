"""What a message is; members that nobody knows pass, a known one of another type is refused with ``rpc-unreadable``."""
from __future__ import annotations

from typing import Any, Dict, List, Tuple, Union

from ..errors import LabError, unreadable
from .limits import SAFE_INTEGER, Limits

CallId = Union[int, str]
Message = Dict[str, Any]

ITEMS, MORE, CANCEL, LINGER = "rpc.items", "rpc.more", "rpc.cancel", "rpc.linger"
RESUME, BATCH, CALLBACK, PING, SIGN_IN = "rpc.resume", "rpc.batch", "rpc.callback", "rpc.ping", "rpc.sign-in"

_LONGEST_ID = 64
_ID_WRONG = f"its id is neither a whole number from 1 nor a text of 1 to {_LONGEST_ID} characters"


def kind_of(message: Any, limits: Limits) -> str:
    """``request``, ``one-way``, ``result`` or ``failure``."""
    if not isinstance(message, dict):
        raise unreadable("it is no request, reply or notification of JSON-RPC 2.0")
    if message.get("jsonrpc", "2.0") != "2.0":
        raise unreadable("its version of JSON-RPC is not 2.0")
    method = message.get("method")
    if "method" not in message:
        return _reply_kind(message)
    if not _is_method(method, limits):
        raise unreadable(f"its method is no text of 1 to {limits.method_chars} characters")
    if "id" not in message:
        return "one-way"
    if not is_call_id(message["id"]):
        raise unreadable(_ID_WRONG)
    for name in ("timeoutMs", "lingerMs"):
        if name in message and not _is_duration(message[name]):
            raise unreadable(f"its {name} is no duration")
    if "credit" in message and not (is_count(message["credit"]) and message["credit"] <= limits.stream_items):
        raise unreadable(f"its credit is no whole number from 0 to {limits.stream_items}")
    return "request"


def _reply_kind(message: Message) -> str:
    if "error" in message:
        if message.get("id", 0) is not None and not is_call_id(message.get("id")):
            raise unreadable(_ID_WRONG)
        if not _is_wire_error(message["error"]):
            raise unreadable("its error has no number and no text")
        return "failure"
    if not is_call_id(message.get("id")):
        raise unreadable(_ID_WRONG)
    if "result" not in message:
        raise unreadable("it has neither a method nor a result nor an error")
    return "result"


def _is_method(method: Any, limits: Limits) -> bool:
    return isinstance(method, str) and 0 < len(method) <= limits.method_chars


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_wire_error(error: Any) -> bool:
    if not isinstance(error, dict) or not isinstance(error.get("message"), str) or not _is_number(error.get("code")):
        return False
    return float(error["code"]).is_integer()


def is_call_id(value: Any) -> bool:
    if isinstance(value, str):
        return 0 < len(value) <= _LONGEST_ID
    return is_count(value) and value > 0


def is_count(value: Any) -> bool:
    # A number of JavaScript has no type of its own for what is whole.
    return _is_number(value) and float(value).is_integer() and 0 <= value <= SAFE_INTEGER


def _is_duration(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= SAFE_INTEGER


def _require(is_right: bool, method: str) -> None:
    if not is_right:
        raise unreadable(f"it is no {method} as this end knows it")


def read_items(params: Any) -> Tuple[CallId, int, List[Any]]:
    is_right = isinstance(params, dict) and is_call_id(params.get("id")) and is_count(params.get("from"))
    _require(is_right and isinstance(params.get("items"), list), ITEMS)
    return params["id"], int(params["from"]), params["items"]


def read_more(params: Any) -> Tuple[CallId, int, int]:
    is_right = isinstance(params, dict) and is_call_id(params.get("id"))
    _require(is_right and is_count(params.get("upTo")) and is_count(params.get("seen")), MORE)
    return params["id"], int(params["upTo"]), int(params["seen"])


def read_cancel(params: Any) -> CallId:
    _require(isinstance(params, dict) and is_call_id(params.get("id")), CANCEL)
    return params["id"]


def read_linger(params: Any) -> Tuple[CallId, str]:
    is_right = isinstance(params, dict) and is_call_id(params.get("id")) and isinstance(params.get("token"), str)
    _require(is_right, LINGER)
    return params["id"], params["token"]


def read_callback(params: Any) -> Tuple[int, List[Any]]:
    is_right = isinstance(params, dict) and is_count(params.get("callback")) and isinstance(params.get("args"), list)
    _require(is_right, CALLBACK)
    return int(params["callback"]), params["args"]


def read_batch(params: Any, limits: Limits) -> Tuple[List[str], List[int], List[Any], bool]:
    _require(isinstance(params, dict) and isinstance(params.get("stop"), bool), BATCH)
    methods, calls, args = params.get("methods"), params.get("calls"), params.get("params")
    is_right = isinstance(methods, list) and isinstance(calls, list) and isinstance(args, list)
    _require(is_right and len(calls) == len(args), BATCH)
    if len(calls) > limits.batch_calls:
        raise unreadable(f"a batch has at most {limits.batch_calls} calls, not {len(calls)}")
    _require(all(_is_method(method, limits) for method in methods), BATCH)
    _require(all(is_count(call) and call < len(methods) for call in calls), BATCH)
    return methods, [int(call) for call in calls], args, params["stop"]


def read_batch_answer(answer: Any, calls: int) -> Tuple[List[Any], List[Tuple[int, Dict[str, Any]]]]:
    is_right = isinstance(answer, dict) and isinstance(answer.get("results"), list)
    _require(is_right and isinstance(answer.get("errors"), list) and len(answer["results"]) <= calls, BATCH)
    errors = []
    for entry in answer["errors"]:
        _require(isinstance(entry, list) and len(entry) >= 2, BATCH)
        _require(is_count(entry[0]) and entry[0] < calls and _is_wire_error(entry[1]), BATCH)
        errors.append((int(entry[0]), entry[1]))
    return answer["results"], errors


def stream_out_of_step(first: int, last: int, wanted: int, most: int) -> LabError:
    message = f"the stream sent items {first} to {last}, where {wanted} to {most} were waited for"
    return LabError("stream-out-of-step", message, kind="link")

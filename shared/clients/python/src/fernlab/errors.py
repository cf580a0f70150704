"""The one error of Fernlab, as it comes over a link: the same code, kind and issues at both ends."""
from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence

KINDS = ("caller", "configuration", "instrument", "link", "bug")
RETRIES = ("never", "later", "now")
MOST_CHARS = 10_000
MOST_ISSUES = 200
MOST_SAID = 10


class LabError(Exception):
    """What went wrong. ``code`` is stable and made for programs, the text is made for people.

    ``kind`` is ``caller``, ``configuration``, ``instrument``, ``link`` or ``bug``; ``retry`` says whether doing the
    same again can help: ``never``, ``later`` or ``now``. ``issues`` are the single things that are wrong with an input,
    each with its ``path`` and ``message``.
    """

    def __init__(
        self,
        code: str,
        message: str,
        kind: str = "caller",
        retry: str = "never",
        issues: Sequence[Mapping[str, Any]] = (),
        details: Optional[Mapping[str, Any]] = None,
        student_message: Optional[str] = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.kind = kind
        self.retry = retry
        self.issues = [dict(issue) for issue in issues]
        self.details = dict(details or {})
        self.student_message = message if student_message is None else student_message

    def __str__(self) -> str:
        return f"{self.message} ({self.code})"

    def __reduce__(self) -> Any:
        given = (self.code, self.message, self.kind, self.retry, self.issues, self.details, self.student_message)
        return (type(self), given)

    def to_json(self) -> Dict[str, Any]:
        data: Dict[str, Any] = {
            "code": self.code,
            "kind": self.kind,
            "message": self.message,
            "studentMessage": self.student_message,
            "retry": self.retry,
        }
        if self.issues:
            data["issues"] = self.issues
        if self.details:
            data["details"] = self.details
        return data


def as_lab_error(thrown: BaseException) -> LabError:
    """The error itself, or a ``bug`` that says what was raised."""
    if isinstance(thrown, LabError):
        return thrown
    try:
        text = str(thrown) or type(thrown).__name__
    except Exception:  # an error whose text raises is still an error
        text = type(thrown).__name__
    return LabError("internal-error", f"unexpected: {text}", kind="bug")


def wire_error(error: LabError) -> Dict[str, Any]:
    """The error as it is sent."""
    return {"code": _number(error), "message": error.message, "data": error.to_json()}


def read_wire_error(wire: Mapping[str, Any]) -> LabError:
    """The error that came; one of a stranger, without a code of Fernlab in it, is ``remote-error``."""
    said = wire["message"][:MOST_CHARS]
    data = wire.get("data")
    if not isinstance(data, dict):
        data = {}
    code, kind, retry, student = data.get("code"), data.get("kind"), data.get("retry"), data.get("studentMessage")
    if not isinstance(code, str) or len(code) > 100 or kind not in KINDS:
        return LabError("remote-error", said, kind="instrument", details={"number": wire["code"]})
    return LabError(
        code,
        said,
        kind=kind,
        retry=retry if retry in RETRIES else "never",
        issues=_issues(data.get("issues")),
        details=_details(data.get("details")),
        student_message=student[:MOST_CHARS] if isinstance(student, str) else said,
    )


def _number(error: LabError) -> int:
    if error.code == "rpc-unreadable":
        return -32700
    if error.code == "method-unknown":
        return -32601
    if error.code == "call-invalid":
        return -32602
    return -32603 if error.kind == "bug" else -32000


def _issues(value: Any) -> List[Dict[str, Any]]:
    if not isinstance(value, list):
        return []
    known = {"path": str, "message": str, "file": str, "line": (int, float), "column": (int, float)}
    read = []
    for issue in value[:MOST_ISSUES]:
        if isinstance(issue, dict) and isinstance(issue.get("path"), str) and isinstance(issue.get("message"), str):
            read.append({key: issue[key] for key, kind in known.items() if isinstance(issue.get(key), kind)})
    return read


def _details(value: Any) -> Dict[str, Any]:
    if not isinstance(value, dict):
        return {}
    facts = list(value.items())[:MOST_ISSUES]
    return {key: fact for key, fact in facts if fact is None or isinstance(fact, (str, int, float, bool))}


def with_issues(message: str, issues: Sequence[Mapping[str, Any]]) -> str:
    """The message with each issue that it does not say itself: ``wrong: points must be at least 2; foo is unknown``."""
    # What stands between a hub and its program may answer with issues of its own making.
    told = [issue for issue in issues if isinstance(issue, Mapping) and "message" in issue]
    unsaid = [
        issue
        for issue in told
        if not any(f"{issue.get('path', '')}{between}{issue['message']}".strip() in message for between in (" ", ": "))
    ]
    said = [f"{issue.get('path', '')} {issue['message']}".strip() for issue in unsaid[:MOST_SAID]]
    if len(unsaid) > MOST_SAID:
        said.append(f"and {len(unsaid) - MOST_SAID} more")
    return f"{message}: {'; '.join(said)}" if said else message


def unreadable(why: str) -> LabError:
    return LabError("rpc-unreadable", f"the message can't be read: {why}")


def too_large(what: str, limit: int) -> LabError:
    return LabError("message-too-large", what, details={"limit": limit})


def busy(message: str) -> LabError:
    return LabError("link-busy", message, kind="link", retry="later")


_ENDED = "the link ended: "


def link_ended(why: str) -> LabError:
    return LabError("link-ended", f"{_ENDED}{why}", kind="link", retry="now")


def why_ended(error: LabError) -> str:
    """Why a link ended, of the error that it ended with."""
    return error.message[len(_ENDED) :] if error.message.startswith(_ENDED) else error.message


def unreachable(where: str, why: object) -> LabError:
    return LabError("link-unreachable", f"nobody answers at {where}: {why}", kind="link", retry="later")


def call_invalid(message: str) -> LabError:
    return LabError("call-invalid", message)


def method_unknown(method: str) -> LabError:
    return LabError("method-unknown", f"there is no {method}")

"""A hub's HTTP API, by the standard library."""
from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import threading
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, Callable, Dict, Iterator, Mapping, Optional, Tuple

from .errors import LabError, with_issues
from .links.websocket import tls_context

TIMEOUT_S = 30.0
_BROKEN = (OSError, http.client.HTTPException)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A token is for the hub that it was given for, and for no other."""

    def redirect_request(self, *_: Any) -> None:
        return None


class _Asked:
    """A request in a thread, and whether somebody still waits for it."""

    def __init__(self, undo: Optional[Callable[[Any], None]]) -> None:
        self._undo = undo
        self._answer: Any = None
        self._is_answered = False
        self._is_given_up = False
        self._changing = threading.Lock()

    def answered(self, answer: Any) -> Any:
        with self._changing:
            self._answer, self._is_answered = answer, True
            is_given_up = self._is_given_up
        if is_given_up:
            self.take_back()
        return answer

    def give_up(self) -> bool:
        """Whether it was answered already."""
        with self._changing:
            self._is_given_up = True
            return self._is_answered

    def take_back(self) -> None:
        if self._undo is not None:
            self._undo(self._answer)


class Hub:
    """Asks one hub. Raises its errors with their codes, ``hub-unreachable``, or ``unexpected-answer``.

    ``url`` and ``token`` are those of ``FERNLAB_HUB`` and ``FERNLAB_TOKEN`` unless given; ``ca`` is a file with an
    authority to trust besides the system's, else ``FERNLAB_TLS_CA``.
    """

    def __init__(self, url: Optional[str] = None, token: Optional[str] = None, ca: Optional[str] = None) -> None:
        url = url or os.environ.get("FERNLAB_HUB")
        if not url:
            raise LabError("hub-missing", "name a hub, as hub= or in FERNLAB_HUB", kind="configuration")
        if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
            raise LabError("address-wrong", f"{url!r} is no address of a hub: http://… or https://…")
        self.url = url.rstrip("/")
        self.ca = ca or os.environ.get("FERNLAB_TLS_CA")
        self._token = token or os.environ.get("FERNLAB_TOKEN")
        handlers: list = [_NoRedirect()]
        if self.url.startswith("https:"):
            handlers.append(urllib.request.HTTPSHandler(context=tls_context(self.ca)))
        self._opener = urllib.request.build_opener(*handlers)

    def __repr__(self) -> str:
        return f"Hub({self.url!r})"

    @property
    def key(self) -> Tuple[str, Optional[str], Optional[str]]:
        """Hubs of one key are the same, for the same person."""
        return self.url, self._token, self.ca

    @property
    def authorization(self) -> Dict[str, str]:
        """What a request says of who asks."""
        return {"authorization": f"Bearer {self._token}"} if self._token else {}

    def address_of(self, path: str) -> str:
        return f"{self.url}/api/v1{path}"

    async def ask(self, method: str, path: str, undo: Optional[Callable[[Any], None]] = None, **options: Any) -> Any:
        """As ``ask_now``, without holding up the loop.

        What is given up while it is under way may be done nevertheless: then ``undo`` is called with the answer when it
        comes, in a thread.
        """
        loop, asked = asyncio.get_running_loop(), _Asked(undo)
        try:
            answer = loop.run_in_executor(None, lambda: asked.answered(self.ask_now(method, path, **options)))
        except RuntimeError as error:
            # Threads end before what a program does at its end.
            raise LabError("hub-unreachable", "the program ends", kind="link", retry="later") from error
        try:
            return await answer
        except asyncio.CancelledError:
            if asked.give_up():
                with contextlib.suppress(RuntimeError):  # the program ends: what was done ends by itself
                    loop.run_in_executor(None, asked.take_back)
            raise

    def ask_now(
        self,
        method: str,
        path: str,
        query: Optional[Mapping[str, Any]] = None,
        body: Any = None,
        headers: Optional[Mapping[str, str]] = None,
    ) -> Any:
        """The answer of JSON below ``/api/v1``; None for an empty one."""
        return self.answer_now(method, path, query, body, headers)[1]

    def answer_now(
        self,
        method: str,
        path: str,
        query: Optional[Mapping[str, Any]] = None,
        body: Any = None,
        headers: Optional[Mapping[str, str]] = None,
    ) -> Tuple[int, Any]:
        """The same, with the status."""
        with self.open(method, path, query, body, headers) as response:
            try:
                data = response.read()
            except _BROKEN as error:
                raise self._unreachable(error) from error
        if not data:
            return response.status, None
        try:
            return response.status, json.loads(data)
        except ValueError as error:
            raise LabError("unexpected-answer", f"{self.url}{path} answered what is no JSON", kind="link") from error

    def lines(
        self, path: str, query: Optional[Mapping[str, Any]] = None, headers: Optional[Mapping[str, str]] = None
    ) -> Iterator[str]:
        """The lines of a text that may be long, or may go on."""
        return self.lines_in(self.open("GET", path, query, None, headers))

    def lines_in(self, response: Any) -> Iterator[str]:
        """The whole lines of an answer, which is closed at their end: one that was cut off is not given."""
        with response:
            try:
                for line in response:
                    if line.endswith(b"\n"):
                        yield line.decode("utf-8", "replace").rstrip("\r\n")
            except _BROKEN as error:
                raise self._unreachable(error) from error

    def open(
        self,
        method: str,
        path: str,
        query: Optional[Mapping[str, Any]] = None,
        body: Any = None,
        headers: Optional[Mapping[str, str]] = None,
    ) -> Any:
        sent: Dict[str, str] = {**(headers or {}), **self.authorization}
        data = None
        if body is not None:
            sent["content-type"] = "application/json"
            data = json.dumps(body, allow_nan=False).encode()
        given = {key: value for key, value in (query or {}).items() if value is not None}
        text = f"?{urllib.parse.urlencode(given, doseq=True)}" if given else ""
        request = urllib.request.Request(f"{self.address_of(path)}{text}", data=data, headers=sent, method=method)
        try:
            return self._opener.open(request, timeout=TIMEOUT_S)
        except urllib.error.HTTPError as error:
            with error:
                raise self._said(refusal(self.url, error.code, error.read())) from None
        except _BROKEN as error:
            raise self._unreachable(error) from error

    def _said(self, error: LabError) -> LabError:
        """The hub does not know how this program would say who it is."""
        if error.code != "sign-in-needed" or self._token:
            return error
        give = "give a token as token= or in FERNLAB_TOKEN (fernlab token create NAME --scope run makes one)"
        return LabError("token-missing", f"{error.message}: {give}", "configuration", student_message=error.student_message)

    def _unreachable(self, error: Exception) -> LabError:
        why = getattr(error, "reason", None) or error
        return LabError("hub-unreachable", f"the hub at {self.url} can't be reached: {why}", kind="link", retry="later")


def refusal(url: str, status: int, body: bytes) -> LabError:
    """The error of an answer that is no success."""
    retry = "later" if status >= 500 else "never"
    try:
        problem = json.loads(body)
        code, detail = problem["code"], problem["detail"]
    except (ValueError, KeyError, TypeError):
        return LabError("unexpected-answer", f"{url} answered with status {status}", kind="link", retry=retry)
    issues = problem.get("issues") or []
    return LabError(
        str(code),
        with_issues(str(detail), issues),
        kind="link" if status >= 500 else "caller",
        retry=problem.get("retry", "never"),
        issues=issues,
        details=problem.get("details"),
        student_message=problem.get("hint"),
    )


def path_of(*parts: str) -> str:
    """``/benches/pi.bench3``: each part quoted."""
    return "".join(f"/{urllib.parse.quote(part, safe='')}" for part in parts)

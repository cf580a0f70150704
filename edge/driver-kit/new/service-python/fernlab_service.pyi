"""What a service in Python may import, for editors; at the node it is there by itself."""

from typing import Any, Literal, Optional

class ServiceError(Exception):
    """Arrives at the caller as an error with this code, a word such as ``lamp-off``."""

    code: str
    retry: str
    def __init__(self, code: str, message: str, *, retry: Literal["never", "later", "now"] = "never") -> None: ...

class Event:
    """An event of a class: ``done = Event(float)``; ``self.done.emit(2.5)`` tells whoever follows it."""

    def __init__(self, value: Any = None, *, title: Optional[str] = None) -> None: ...
    def emit(self, value: Any = None) -> None: ...

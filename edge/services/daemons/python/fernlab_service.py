"""What a service in Python may import: events that clients follow, and errors with a code of their own."""

class ServiceError(Exception):
    """Arrives at the caller as an error with this code, a word such as ``lamp-off``."""

    def __init__(self, code, message, *, retry="never"):
        super().__init__(message)
        self.code = code
        self.retry = retry


class Event:
    """An event of a class: ``done = Event(float)``; ``self.done.emit(2.5)`` tells whoever follows it."""

    def __init__(self, value=None, *, title=None):
        self.value = value
        self.title = title
        self.name = ""

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, instance, owner):
        return self if instance is None else _Bound(self, instance)


class _Bound:
    def __init__(self, event, instance):
        self._event = event
        self._instance = instance

    def emit(self, value=None):
        """Tells whoever follows the event now; may be called from any thread."""
        listener = getattr(self._instance, "_fernlab_emit", None)
        if listener is not None:
            listener(self._event.name, value)

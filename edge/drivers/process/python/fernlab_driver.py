"""An instrument for Fernlab in Python: one file, Python 3.9 or later, nothing else needed.

    import fernlab_driver as fern

    class Oven(fern.Instrument):
        def open(self, settings):
            self.wanted = 20.0

        @fern.signal(unit="Cel", low=20, high=80)
        def setpoint(self):
            return self.wanted

        @setpoint.setter
        def setpoint(self, value):
            self.wanted = value

    fern.run(Oven)

In node.yaml: `driver: process` with `config: { command: [python3, ./oven.py] }`. What `print` writes goes to the node's
log. Calls come one at a time, in the main thread. An exception is a refusal with its text; `fern.Instrument.cancelled()`
says that nobody waits for the call any more.
"""

import json
import os
import queue
import sys
import threading

__all__ = ["Instrument", "action", "run", "signal"]
__version__ = "1.0.0"

_METHOD_UNKNOWN = -32601
_PARAMETERS_WRONG = -32602
_REFUSED = -32000
#: How long what is under way may go on once the node is gone.
_END_S = 2
_DTYPES = {float: "number", int: "integer", bool: "boolean", str: "string"}


class Instrument:
    """What runs. Subclass it; every method is optional."""

    #: What is shown as the instrument's model.
    model = None

    def open(self, settings):
        """Connects to the hardware. `settings` is what node.yaml says; the result, a text, says who answers."""

    def close(self):
        """Frees the hardware."""

    def describe(self, described, settings):
        """Changes what the class says of itself, by `settings`; must not need the hardware."""
        return described

    def cancelled(self):
        """Whether nobody waits any more for what is being done."""
        return self._link.is_cancelled()

    def connection(self, up, reason=""):
        """Tells the node that the hardware is there, or is not."""
        self._link.send({"jsonrpc": "2.0", "method": "connection", "params": {"up": up, "reason": reason}})

    def log(self, message, level="info"):
        """Writes a line to the node's log: level is debug, info, warn or error."""
        self._link.send({"jsonrpc": "2.0", "method": "log", "params": {"level": level, "message": str(message)}})


class _Signal:
    def __init__(self, get, described):
        self.get = get
        self.set = None
        self.described = described

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, instrument, owner=None):
        return self if instrument is None else self.get(instrument)

    def setter(self, function):
        """Makes the signal settable: the function is called with the value, in the signal's unit."""
        self.set = function
        return self

    def description(self):
        access = "read" if self.set is None else ("set" if self.get is None else "read-set")
        return {**self.described, "access": access}


def signal(
    function=None,
    *,
    unit="1",
    dtype=float,
    low=None,
    high=None,
    title=None,
    kind=None,
    values=None,
    precision=None,
    settling_s=None,
    read_s=None,
    set_s=None,
    max_rate_hz=None,
):
    """A value that can be read: the method returns it, in `unit` (UCUM spelling: V, mA, Cel, Hz, s; 1 for none).

    `low` and `high` bound what it may be set to. `dtype` is float, int, bool or str. A method that returns a dict
    `{"value": …, "time": …}` says when, in seconds since 1970, the value held.
    """
    limits = {key: value for key, value in (("low", low), ("high", high)) if value is not None}
    described = {
        "title": title,
        "unit": unit,
        "dtype": _DTYPES[dtype],
        "kind": kind,
        "limits": limits or None,
        "values": values,
        "precision": precision,
        "settlingS": settling_s,
        "readS": read_s,
        "setS": set_s,
        "maxRateHz": max_rate_hz,
    }
    described = {key: value for key, value in described.items() if value is not None}

    def make(get):
        return _Signal(get, described)

    return make if function is None else make(function)


def action(function=None, *, title=None, typical_s=None, **arguments):
    """A method that does something. `arguments` are described as JSON Schema does, with a unit:
    `@fern.action(speed={"type": "number", "unit": "Hz", "minimum": 0})`."""
    described = {"title": title, "typicalS": typical_s, "arguments": arguments}
    described = {key: value for key, value in described.items() if value is not None}

    def make(method):
        method._fernlab_action = described
        return method

    return make if function is None else make(function)


class _Wrong(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class _Link:
    """Messages on standard input and output, one a line."""

    def __init__(self, source, sink):
        self.source = source
        self.sink = sink
        self.lock = threading.Lock()
        self.requests = queue.Queue()
        self.given_up = set()
        self.current = None

    def send(self, message):
        text = json.dumps(message, allow_nan=False, separators=(",", ":"))
        with self.lock:
            self.sink.write(text + "\n")
            self.sink.flush()

    def is_cancelled(self):
        return self.current in self.given_up

    def listen(self):
        for line in self.source:
            try:
                message = json.loads(line)
                method = message["method"]
            except (ValueError, TypeError, KeyError):
                print("a message of the node was not understood:", line[:200])
                continue
            if method == "cancel":
                self.given_up.add(message.get("params", {}).get("id"))
            else:
                self.requests.put(message)
        # The node is gone. What hangs now would keep the hardware from the next one.
        self.requests.put(None)
        threading.Timer(_END_S, os._exit, [1]).start()


class _Server:
    def __init__(self, kind):
        self.instrument = kind()
        members = {name: getattr(kind, name) for name in dir(kind)}
        self.signals = {name: member for name, member in members.items() if isinstance(member, _Signal)}
        self.actions = {name: member for name, member in members.items() if hasattr(member, "_fernlab_action")}

    def describe(self, settings=None):
        described = {
            "fernlab": 1,
            "model": self.instrument.model or type(self.instrument).__name__,
            "signals": {name: each.description() for name, each in self.signals.items()},
            "actions": {name: each._fernlab_action for name, each in self.actions.items()},
        }
        return self.instrument.describe(described, settings or {})

    def open(self, settings=None):
        return self.instrument.open(settings or {})

    def identify(self):
        raise _Wrong(_METHOD_UNKNOWN, "what open returned holds")

    def read(self, signals):
        return {name: self.signal(name).get(self.instrument) for name in signals}

    def set(self, signal, value):
        known = self.signal(signal)
        if known.set is None:
            raise _Wrong(_PARAMETERS_WRONG, f"{signal} can only be read")
        known.set(self.instrument, value)

    def call(self, action, arguments=None):
        if action not in self.actions:
            raise _Wrong(_PARAMETERS_WRONG, f"there is no action {action}")
        self.actions[action](self.instrument, **(arguments or {}))

    def close(self):
        self.instrument.close()

    def signal(self, name):
        if name not in self.signals:
            raise _Wrong(_PARAMETERS_WRONG, f"there is no signal {name}")
        return self.signals[name]

    def answer(self, method, params):
        methods = {"describe", "open", "identify", "read", "set", "call", "close"}
        if method not in methods:
            raise _Wrong(_METHOD_UNKNOWN, f"there is no method {method}")
        return getattr(self, method)(**(params or {}))


def run(kind):
    """Serves the instrument until the node lets go of it."""
    source = os.fdopen(os.dup(sys.stdin.fileno()), encoding="utf-8")
    sink = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    # What is printed, by a library too, must not come between the messages.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    sys.stdout = sys.stderr
    link = _Link(source, sink)
    server = _Server(kind)
    server.instrument._link = link
    threading.Thread(target=link.listen, daemon=True).start()
    is_open = False
    while True:
        request = link.requests.get()
        if request is None:
            break
        number, method = request.get("id"), request["method"]
        if number in link.given_up:
            link.send(_refused(number, _REFUSED, "it was given up before its turn"))
            continue
        link.current = number
        try:
            result = server.answer(method, request.get("params"))
            is_open = method == "open" or (is_open and method != "close")
            link.send({"jsonrpc": "2.0", "id": number, "result": result})
        except _Wrong as wrong:
            link.send(_refused(number, wrong.code, str(wrong)))
        except Exception as error:
            print(f"{method}: {type(error).__name__}: {error}")
            link.send(_refused(number, _REFUSED, str(error) or type(error).__name__))
        finally:
            link.current = None
            link.given_up.discard(number)
    if is_open:
        server.close()
    os._exit(0)


def _refused(number, code, message):
    return {"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": message}}

"""A service in Python in its daemon: its objects, and what is asked of them."""

import asyncio
import concurrent.futures
import importlib.util
import inspect
import os
import sys
import time
import traceback

import fernlab_service
from fernlab_contract import ContractWrong, contract_of, require_parameters
from fernlab_values import TextValues, Unwritable, to_wire

MOST_WAITING_EVENTS = 1024
MOST_CHARS = 1000
REFUSED = -32000
_END = object()


class ServiceFailure(Exception):
    """An error as the node is told it."""

    def __init__(self, code, message, *, kind="instrument", retry="never", number=REFUSED):
        super().__init__(message)
        self.code = code
        self.kind = kind
        self.retry = retry
        self.number = number

    def wire(self):
        # Names of files may have halves of characters, which CBOR has no form for.
        text = str(self)[:MOST_CHARS].encode("utf-8", "replace").decode("utf-8")
        data = {"code": self.code, "kind": self.kind, "message": text, "studentMessage": text, "retry": self.retry}
        return {"code": self.number, "message": text, "data": data}


def failure(where, error):
    """What a service raised, as the error that its caller gets; its traceback goes to the daemon's log."""
    if isinstance(error, ServiceFailure):
        return error
    if isinstance(error, fernlab_service.ServiceError):
        return ServiceFailure(error.code, str(error), retry=error.retry)
    if isinstance(error, Unwritable):
        return ServiceFailure(error.code, f"{where}: {error}", kind="caller")
    traceback.print_exception(type(error), error, error.__traceback__)
    try:
        words = f"{type(error).__name__}: {error}"
    except Exception:
        words = type(error).__name__
    return ServiceFailure("service-failed", f"{where} failed: {words}")


def wrong(message):
    return ServiceFailure("own-service-wrong", message, kind="configuration")


def _contained(work, *args):
    try:
        return work(*args)
    except SystemExit as error:
        raise _left(error) from error


def _left(error):
    """Ends the call, not the process: other services are in it."""
    return RuntimeError(f"it wanted to leave the process (SystemExit {error})")


class Instance:
    """One object; methods that are not async run on a thread of its own, one at a time."""

    def __init__(self, make, emit):
        self._worker = concurrent.futures.ThreadPoolExecutor(max_workers=1)
        self._make = make
        self._emit = emit
        self.object = None

    async def open(self):
        self.object = await self.run(self._make)
        try:
            self.object._fernlab_emit = self._emit
        except AttributeError:
            pass  # with __slots__ it has no events
        return self

    async def run(self, work, *args):
        """What it returns; one that is given up while it is at work has ended only when it has."""
        loop = asyncio.get_running_loop()
        future = self._worker.submit(_contained, work, *args)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            if not future.cancel():
                ended = asyncio.Event()
                future.add_done_callback(lambda _: loop.call_soon_threadsafe(ended.set))
                await ended.wait()
            raise

    async def close(self):
        end = getattr(self.object, "close", None)
        try:
            if inspect.iscoroutinefunction(end):
                await end()
            elif callable(end):
                await self.run(end)
        except Exception:
            traceback.print_exc()
        self._worker.shutdown(wait=False)


class Hosted:
    def __init__(self, service, asked):
        self.name = asked["name"]
        self.contract = contract_of(service)
        self._service = service
        self._asked = asked
        self._single = None
        self._sessions = {}
        self._followers = set()
        self._loop = asyncio.get_running_loop()

    @classmethod
    async def load(cls, asked):
        """Raises ServiceFailure with why it can not be made."""
        file = asked["file"]
        try:
            hosted = cls(await asyncio.get_running_loop().run_in_executor(None, _class_in, file, asked["name"]), asked)
            to_wire(hosted.contract, TextValues())
            require_parameters(hosted._service, asked["parameters"])
        except ServiceFailure:
            raise
        except (ContractWrong, Unwritable) as error:
            raise wrong(f"{file}: {error}") from error
        except BaseException as error:
            raise wrong(f"{file} can not be loaded: {type(error).__name__}: {error}") from error
        if asked["instances"] == "single":
            hosted._single = await hosted._create()
        return hosted

    async def do(self, member, params):
        instance = await self._instance(params)
        try:
            if member == "call":
                return await self._call(instance, params["action"], params.get("args") or {})
            if member == "read":
                return await instance.run(self._read, instance.object, params["signals"])
            if member == "set":
                return await instance.run(self._set, instance.object, params["signal"], params["value"])
        except Exception as error:
            raise failure(f"{self.name}/{params.get('action') or params.get('signal') or member}", error) from error
        finally:
            await self._done(instance)
        raise ServiceFailure("method-unknown", f"there is no {self.name}/{member}", kind="caller")

    def items(self, member, params):
        """What an action gives item by item, or events."""
        return self._follow(params["names"]) if member == "events" else self._act(params)

    async def _act(self, params):
        action = params["action"]
        self._require("actions", action)
        instance = await self._instance(params)
        source = None
        try:
            source = getattr(instance.object, action)(**self._arguments(action, params.get("args") or {}))
            if inspect.isasyncgen(source):
                async for item in source:
                    yield item
                return
            while True:
                item = await instance.run(next, source, _END)
                if item is _END:
                    return
                yield item
        except Exception as error:
            raise failure(f"{self.name}/{action}", error) from error
        finally:
            if inspect.isasyncgen(source):
                await source.aclose()
            elif source is not None:
                await instance.run(source.close)
            await self._done(instance)

    def end_session(self, session):
        known = self._sessions.pop(session, None)
        if known is not None:
            asyncio.ensure_future(self._close_made(known))

    async def close(self):
        made = list(self._sessions.values())
        self._sessions.clear()
        single = [self._single.close()] if self._single is not None else []
        await asyncio.gather(*single, *(self._close_made(known) for known in made))

    async def _close_made(self, known):
        try:
            instance = await known
        except ServiceFailure:
            return  # one that could not be made is told to who asked for it
        await instance.close()

    async def _instance(self, params):
        mode = self._asked["instances"]
        if mode == "single":
            return self._single
        if mode == "percall":
            return await self._create()
        session = params.get("session")
        if not isinstance(session, str):
            raise wrong(f"{self.name} has an object for each connection, and this call came by none")
        known = self._sessions.get(session)
        if known is None:
            known = asyncio.ensure_future(self._create())
            self._sessions[session] = known
        try:
            return await asyncio.shield(known)
        except ServiceFailure:
            self._sessions.pop(session, None)  # the next call tries again
            raise

    async def _done(self, instance):
        if self._asked["instances"] == "percall":
            await instance.close()

    async def _create(self):
        parameters = dict(self._asked["parameters"])
        known = inspect.signature(self._service.__init__).parameters
        if "folder" in known and "folder" not in parameters:
            parameters["folder"] = self._asked["folder"]
        try:
            return await Instance(lambda: self._service(**parameters), self._emit).open()
        except Exception as error:
            raise failure(self.name, error) from error

    async def _call(self, instance, action, args):
        self._require("actions", action)
        method = getattr(instance.object, action)
        given = self._arguments(action, args)
        if inspect.iscoroutinefunction(method):
            try:
                return await method(**given)
            except SystemExit as error:
                raise _left(error) from error
        return await instance.run(lambda: method(**given))

    def _arguments(self, action, args):
        specs = self.contract["actions"][action]["arguments"]
        # A whole number comes without a point.
        return {
            name: float(value) if specs[name]["type"] == "number" and isinstance(value, int) else value
            for name, value in args.items()
        }

    def _read(self, target, signals):
        readings = {}
        for name in signals:
            self._require("signals", name)
            readings[name] = {"value": getattr(target, name), "time": time.time()}
        return readings

    def _set(self, target, name, value):
        self._require("signals", name)
        setattr(target, name, float(value) if self.contract["signals"][name]["dtype"] == "number" else value)

    def _require(self, where, name):
        if name not in self.contract[where]:
            raise ServiceFailure("method-unknown", f"there is no {self.name}/{name}", kind="caller")

    def _emit(self, name, value):
        event = {"event": name, "value": value, "time": time.time()}

        def tell():
            for names, queue in list(self._followers):
                if name in names:
                    queue.put_nowait(event if queue.qsize() < MOST_WAITING_EVENTS else None)

        self._loop.call_soon_threadsafe(tell)

    async def _follow(self, names):
        follower = (frozenset(names), asyncio.Queue())
        self._followers.add(follower)
        try:
            while True:
                event = await follower[1].get()
                if event is None:
                    message = f"more than {MOST_WAITING_EVENTS} events waited to be taken: follow them again, and take them faster"
                    raise ServiceFailure("events-missed", message, kind="caller", retry="now")
                yield event
        finally:
            self._followers.discard(follower)


def _class_in(file, name):
    """The class Service of the file, or the only one that is defined in it; each service has a module of its own."""
    path = os.path.abspath(file)
    folder = os.path.dirname(path)
    if folder not in sys.path:
        sys.path.append(folder)
    spec = importlib.util.spec_from_file_location(f"own service {name}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    classes = [
        member
        for member in vars(module).values()
        if inspect.isclass(member) and member.__module__ == spec.name and not member.__name__.startswith("_")
    ]
    named = [member for member in classes if member.__name__ == "Service"]
    chosen = named or classes
    if len(chosen) != 1:
        raise wrong(f"{file} has {len(chosen)} classes: it needs one, or one that is called Service")
    return chosen[0]

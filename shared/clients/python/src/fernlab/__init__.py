"""Instruments and services of a Fernlab as objects of Python."""
from .connect import connect
from .directory import AsyncDirectory
from .errors import LabError
from .hub import Hub
from .node_directory import AsyncNodeDirectory
from .plain import Directory, Lock, Proxy, lock
from .proxy import AsyncProxy
from .rpc.batch import Outcome
from .rpc.peer import Peer
from .rpc.received import Place, ReceivedStream
from .rpc.serving import Context
from .runs import AsyncRun, Event, Run, submit
from .sessions import AsyncSession, Session
from .ways.way import WayInUse

__all__ = [
    "AsyncDirectory",
    "AsyncNodeDirectory",
    "AsyncProxy",
    "AsyncRun",
    "AsyncSession",
    "Context",
    "Directory",
    "Event",
    "Hub",
    "LabError",
    "Lock",
    "Outcome",
    "Peer",
    "Place",
    "Proxy",
    "ReceivedStream",
    "Run",
    "Session",
    "WayInUse",
    "connect",
    "lock",
    "submit",
]
__version__ = "0.1.0"

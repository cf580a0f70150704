"""Instruments and services of a Fernlab as objects of Python."""
from .connect import connect
from .directory import AsyncDirectory
from .errors import LabError
from .followed_run import Event
from .hub import Hub
from .node_directory import AsyncNodeDirectory, AsyncNodesDirectory
from .plain import Directory, Lock, Proxy, lock, unlock
from .proxy import AsyncProxy, async_unlock
from .rpc.batch import Outcome
from .rpc.peer import Peer
from .rpc.received import Place, ReceivedStream
from .rpc.serving import Context
from .runs import AsyncRun, Run, submit
from .sessions import AsyncSession, Session
from .ways.way import WayInUse

__all__ = [
    "AsyncDirectory",
    "AsyncNodeDirectory",
    "AsyncNodesDirectory",
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
    "async_unlock",
    "connect",
    "lock",
    "submit",
    "unlock",
]
__version__ = "0.1.0"

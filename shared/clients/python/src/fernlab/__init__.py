"""Instruments and services of a Fernlab as objects of Python."""
from .connect import connect
from .errors import LabError
from .rpc.batch import Outcome
from .rpc.peer import Peer
from .rpc.received import Place, ReceivedStream

__all__ = ["LabError", "Outcome", "Peer", "Place", "ReceivedStream", "connect"]
__version__ = "0.1.0"

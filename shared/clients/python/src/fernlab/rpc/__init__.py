"""Calls between two equal ends of a link: JSON-RPC 2.0, and what it lacks as methods that begin with ``rpc.``."""

"""Ways to another process: a Unix socket on the same machine, a WebSocket from anywhere."""

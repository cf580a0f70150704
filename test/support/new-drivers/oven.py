"""An oven on a pseudo-terminal: the emulated one of a new driver's folder. Ends with its input."""
import os
import sys
import threading
import tty

sys.path.insert(0, sys.argv[1])
from emulated import EmulatedOven

oven = EmulatedOven({})
near, far = os.openpty()
tty.setraw(near)
tty.setraw(far)


def serve():
    line = b""
    while True:
        byte = os.read(near, 1)
        if byte != b"\n":
            line += byte
            continue
        # In two pieces, as a slow line brings it.
        answer = oven.ask(line.decode()).encode() + b"\r\n"
        os.write(near, answer[:1])
        os.write(near, answer[1:])
        line = b""


print(os.ttyname(far), flush=True)
threading.Thread(target=serve, daemon=True).start()
sys.stdin.read()
os._exit(0)

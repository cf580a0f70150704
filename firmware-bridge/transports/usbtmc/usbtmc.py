"""One instrument at /dev/usbtmcN, for the process that starts this: frames on standard input and output.

A frame is a letter, the length of what follows in 4 bytes (the highest first), and that.

    in   T  tell: 4 bytes, how many milliseconds it may take to be taken; then a message that has no answer
         A  ask: 4 bytes, the same for being taken and again for being answered; then a message that has one
    out  O  the instrument is open; a text where it refused to be cleared first
         W  the message has been taken: each message has this or
         U  the message has not been taken in time; a text says why
         D  a piece of the answer
         E  the answer is whole
         S  there is no whole answer; a text says why
         X  the instrument is gone or cannot be opened: an errno's name, a space, a text; the program ends

A message that comes while another one waits takes its place: whoever sends it no longer waits. After U and S the
instrument has been told to clear its buffers, so that no late answer comes; one that does not react to that, for which the
kernel waits 5 s, is told so again only after it has answered something. The program ends with its input. Needs Linux
4.20 and nothing beside Python.

Sources: USB Test and Measurement Class Specification (USBTMC) 1.0; include/uapi/linux/usb/tmc.h of the kernel.
"""

import array
import errno
import fcntl
import os
import select
import struct
import sys
import time

NUMBER = 91
POINTER = struct.calcsize("P")


def request_code(direction, number, size):
    return direction << 30 | size << 16 | NUMBER << 8 | number


CLEAR = request_code(0, 2, 0)
WRITE = request_code(3, 13, 12 + POINTER)
READ = request_code(3, 14, 12 + POINTER)
WRITE_RESULT = request_code(3, 15, 4)
CANCEL_IO = request_code(0, 35, 0)
CLEANUP_IO = request_code(0, 36, 0)

ASYNC = 1
APPEND = 2

DEV_DEP_MSG_OUT = 1
REQUEST_DEV_DEP_MSG_IN = 2
END_OF_MESSAGE = 1
HEADER = struct.Struct("<BBBxIB3x")

# What the kernel reads at once; the first request fits into it, so that short answers take one.
PIECE = 4096
FIRST = PIECE - HEADER.size
MORE = 1 << 20
REPLACED = "another message came first"
GONE = (errno.ENODEV, errno.ESHUTDOWN, errno.ENXIO)


class GivenUp(Exception):
    """The message is not gone on with; the text says why."""


def say(kind, payload=b""):
    rest = memoryview(kind + struct.pack(">I", len(payload)) + payload)
    while rest:
        rest = rest[os.write(1, rest) :]


def hear(size):
    """So many bytes of the input; ends the program where that has ended."""
    data = b""
    while len(data) < size:
        piece = os.read(0, size - len(data))
        if not piece:
            sys.exit(0)
        data += piece
    return data


class Instrument:
    def __init__(self, path):
        self.fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        # Two that talk to one instrument would take each other's answers.
        fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.tag = 0
        # It took no clear in the kernel's 5 s, and has answered nothing since: another would take as long for nothing.
        self.deaf = False
        self.piece = array.array("B", bytes(PIECE))

    def wait(self, events, deadline, what):
        """Until the device is ready. Gives up when it is late, and when the input has the next message, or its end."""
        poller = select.poll()
        poller.register(0, select.POLLIN)
        poller.register(self.fd, events)
        left = max(0, deadline - time.monotonic())
        ready = dict(poller.poll(left * 1000))
        state = ready.get(self.fd, 0)
        if state & select.POLLHUP:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        if state:
            return
        raise GivenUp(REPLACED if 0 in ready else what)

    def next_message(self):
        """Waits for the input; raises when the instrument is gone before."""
        poller = select.poll()
        poller.register(0, select.POLLIN)
        poller.register(self.fd, 0)
        while True:
            ready = dict(poller.poll())
            if ready.get(self.fd, 0):
                raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
            if 0 in ready:
                kind, length = struct.unpack(">cI", hear(5))
                payload = hear(length)
                return kind, struct.unpack(">I", payload[:4])[0] / 1000, payload[4:]

    def transfer(self, code, address, size, flags):
        """One READ or WRITE: how many bytes went, and whether it ended with a short packet."""
        message = bytearray(struct.pack("=III", size, 0, flags) + struct.pack("P", address))
        short = fcntl.ioctl(self.fd, code, message) == 1
        return struct.unpack_from("=I", message, 4)[0], short

    def send(self, data, deadline):
        late = "it did not take the message"
        buffer = array.array("B", data + bytes(-len(data) % 4))
        address, size = buffer.buffer_info()
        done = 0
        while done < size:
            flags = ASYNC | (APPEND if done else 0)
            try:
                done += self.transfer(WRITE, address + done, size - done, flags)[0]
            except BlockingIOError:
                pass
            self.wait(select.POLLOUT, deadline, late)
        fcntl.ioctl(self.fd, WRITE_RESULT, bytearray(4))

    def header(self, kind, size, attributes):
        self.tag = self.tag % 255 + 1
        return HEADER.pack(kind, self.tag, self.tag ^ 255, size, attributes)

    def write(self, message, deadline):
        self.send(self.header(DEV_DEP_MSG_OUT, len(message), END_OF_MESSAGE) + message, deadline)

    def receive(self, deadline):
        """The next piece of a transfer, and whether it was the last one."""
        address, size = self.piece.buffer_info()
        while True:
            # Of an instrument that always has more to say nothing is ever waited for.
            if select.select([0], [], [], 0)[0]:
                raise GivenUp(REPLACED)
            try:
                done, short = self.transfer(READ, address, size, ASYNC)
            except BlockingIOError:
                self.wait(select.POLLIN, deadline, "it did not answer")
                continue
            return self.piece[:done].tobytes(), short

    def answer(self, deadline):
        """Hands on the answer as it comes."""
        size = FIRST
        while True:
            self.send(self.header(REQUEST_DEV_DEP_MSG_IN, size, 0), deadline)
            if self.take(size, deadline):
                self.deaf = False
                return
            size = MORE

    def take(self, size, deadline):
        """Hands on one transfer; true when the answer ends with it."""
        while True:
            piece, last = self.receive(deadline)
            if len(piece) < HEADER.size:
                raise GivenUp("it sent a transfer without a header")
            kind, tag, inverse, length, attributes = HEADER.unpack_from(piece)
            if kind != REQUEST_DEV_DEP_MSG_IN or inverse != tag ^ 255:
                raise GivenUp("it sent a header that makes no sense")
            is_mine = tag == self.tag
            if is_mine and length > size:
                raise GivenUp("it sends more than it was asked for")
            piece = piece[HEADER.size :]
            left = length
            while True:
                if is_mine and piece[:left]:
                    say(b"D", piece[:left])
                left = max(0, left - len(piece))
                if last:
                    break
                piece, last = self.receive(deadline)
            if not is_mine:
                # The late answer to an earlier request, of an instrument that cannot be cleared.
                continue
            if left > 0:
                raise GivenUp("its answer broke off")
            return attributes & END_OF_MESSAGE != 0

    def clear(self):
        """Has it forget what it was asked; the reason where it refuses."""
        for code in (CANCEL_IO, CLEANUP_IO):
            fcntl.ioctl(self.fd, code)
        if self.deaf:
            return "it took no clear before"
        try:
            fcntl.ioctl(self.fd, CLEAR)
        except OSError as error:
            if error.errno in GONE:
                raise
            self.deaf = error.errno == errno.ETIMEDOUT
            return f"it refuses to be cleared: {error.strerror}"
        return ""


def serve(path):
    instrument = Instrument(path)
    say(b"O", instrument.clear().encode())
    while True:
        kind, seconds, message = instrument.next_message()
        failed = b"U"
        try:
            instrument.write(message, time.monotonic() + seconds)
            say(b"W")
            failed = b"S"
            if kind == b"A":
                instrument.answer(time.monotonic() + seconds)
                say(b"E")
        except GivenUp as reason:
            refusal = instrument.clear()
            say(failed, "; ".join(filter(None, (str(reason), refusal))).encode())


try:
    serve(sys.argv[1])
except OSError as error:
    name = errno.errorcode.get(error.errno or 0, "EIO")
    say(b"X", f"{name} {error.strerror or error}".encode())

"""new-driver: an oven that takes lines over a serial port.

"POWER 12.5" is answered "OK", "POWER?" is answered "12.5", "TEMP?" is answered "23.41", all else "ERR and why".
"""
import os
import select
import termios
import time

import fernlab_driver as fern
from emulated import EmulatedOven

ANSWER_S = 1.0


class SerialLine:
    """Questions and answers over a serial port of 9600 baud."""

    def __init__(self, path):
        self.port = os.open(path, os.O_RDWR | os.O_NOCTTY)
        mode = termios.tcgetattr(self.port)
        # Bytes as they come: nothing is translated, echoed or waited for.
        mode[0] = mode[1] = mode[3] = 0
        mode[2] = termios.CS8 | termios.CREAD | termios.CLOCAL
        mode[4] = mode[5] = termios.B9600
        termios.tcsetattr(self.port, termios.TCSANOW, mode)

    def ask(self, line):
        # What comes too late for the last question is no answer to this one.
        termios.tcflush(self.port, termios.TCIFLUSH)
        os.write(self.port, line.encode("ascii") + b"\n")
        answer, until = b"", time.monotonic() + ANSWER_S
        while not answer.endswith(b"\n"):
            left = max(0, until - time.monotonic())
            if not select.select([self.port], [], [], left)[0]:
                raise RuntimeError(f"no answer to {line} within {ANSWER_S} s")
            piece = os.read(self.port, 100)
            if not piece:
                raise OSError("the port has hung up")
            answer += piece
        return answer.decode("ascii").strip()

    def close(self):
        os.close(self.port)


class Oven(fern.Instrument):
    model = "new-driver"
    wire = None

    def open(self, settings):
        if settings.get("emulated"):
            self.wire = EmulatedOven(settings)
        elif "port" in settings:
            self.wire = SerialLine(settings["port"])
        else:
            raise ValueError("settings need port, the oven's serial port, or emulated: true")
        return self.ask("*IDN?")

    def close(self):
        if self.wire is not None:
            self.ask("POWER 0")
            self.wire.close()
            self.wire = None

    @fern.signal(unit="W", low=0, high=40, title="Heater")
    def power(self):
        return float(self.ask("POWER?"))

    @power.setter
    def power(self, watts):
        self.tell(f"POWER {watts:.9g}")

    @fern.signal(unit="Cel", precision=2, title="Temperature")
    def temperature(self):
        return float(self.ask("TEMP?"))

    @fern.action(title="Heater off")
    def stop(self):
        self.tell("POWER 0")

    def ask(self, line):
        try:
            answer = self.wire.ask(line)
        except OSError as error:
            # Unplugged: the node takes the instrument offline with these words, and starts this program again.
            raise SystemExit(f"the oven is gone: {error}")
        if answer.startswith("ERR"):
            raise RuntimeError(f"{line} is answered {answer}")
        return answer

    def tell(self, line):
        answer = self.ask(line)
        if answer != "OK":
            raise RuntimeError(f"{line} is answered {answer!r}, not OK")


if __name__ == "__main__":
    fern.run(Oven)

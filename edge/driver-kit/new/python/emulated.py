"""The oven without an oven: it takes the same lines, and warms up as a real one does.

Settings: `instant: true` is there at once and has no noise; `fault` is one of `silent` and `sensor`.
"""
import random
import time

CEL_PER_W = 2.0
LAG_S = 30.0
NOISE_CEL = 0.02


class EmulatedOven:
    def __init__(self, settings):
        self.room = settings.get("roomCel", 20.0)
        self.instant = settings.get("instant", False)
        self.fault = settings.get("fault")
        self.now, self.power, self.at = self.room, 0.0, time.monotonic()

    def ask(self, line):
        self.pass_time()
        if self.fault == "silent":
            raise RuntimeError(f"no answer to {line}")
        word, _, value = line.partition(" ")
        if line == "*IDN?":
            return "Fernlab,new-driver,emulated"
        if line == "POWER?":
            return repr(self.power)
        if line == "TEMP?":
            return "ERR the sensor is broken" if self.fault == "sensor" else f"{self.reading():.2f}"
        if word == "POWER":
            return self.heat(value)
        return "ERR no such command"

    def heat(self, value):
        try:
            watts = float(value)
        except ValueError:
            return "ERR not a number"
        if not 0 <= watts <= 40:
            return "ERR from 0 to 40"
        self.power = watts
        return "OK"

    def reading(self):
        return self.now if self.instant else random.gauss(self.now, NOISE_CEL)

    def pass_time(self):
        passed, self.at = time.monotonic() - self.at, time.monotonic()
        share = 1 if self.instant else min(1, passed / LAG_S)
        self.now += (self.room + CEL_PER_W * self.power - self.now) * share

    def close(self):
        pass

"""Reads before and after its node was started again."""
import os
import time

import fernlab

supply = fernlab.Proxy("diode-1.psu")
assert supply.voltage == 0
print("ready", flush=True)
while not os.path.exists("down"):
    time.sleep(0.01)
print(supply.voltage)

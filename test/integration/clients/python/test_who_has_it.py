"""A lab in which somebody else has the service `count` and the bench `diode-1`, for a sweep."""
import os
import unittest

from fernlab import LabError, Proxy

WHO = os.environ["FERNLAB_WHO"]


class WhoHasIt(unittest.TestCase):
    def refusal(self, work):
        with self.assertRaises(LabError) as caught:
            work()
        error = caught.exception
        self.assertEqual((error.details["by"], error.details["reason"]), (WHO, "a sweep"))
        self.assertRegex(error.message, rf": {WHO} has it since \d{{4}}-\S+Z \(a sweep\); wait until")
        return error.code

    def test_whoever_is_refused_is_told(self):
        count, supply = Proxy("count"), Proxy("diode-1.psu")
        self.assertEqual(self.refusal(count.process), "service-locked")
        self.assertEqual(self.refusal(count.lock("mine").take), "service-locked")
        self.assertEqual(self.refusal(lambda: supply.read("voltage")), "bench-busy")
        self.assertEqual(self.refusal(supply.lock("mine").take), "bench-busy")


if __name__ == "__main__":
    unittest.main()

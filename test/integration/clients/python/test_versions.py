"""A node of an earlier version: it knows no id of a lock, and of version 1.2 tells of none that is lost."""
import os
import unittest

import fernlab
from fernlab import Proxy

EARLIER, VERSION = os.environ["FERNLAB_EARLIER"], os.environ["FERNLAB_VERSION"]


class EarlierNode(unittest.TestCase):
    def test_it_is_locked_set_in_a_batch_and_given_back(self):
        supply = Proxy("bench-1.psu", address=EARLIER)
        with supply.lock("a sweep"):
            steps = [("signals.set", {"signal": "voltage", "value": n / 10}) for n in range(20)]
            self.assertEqual([one.error for one in supply.batch(steps)], [None] * 20)
            self.assertEqual(supply.voltage, 1.9)
            self.assertEqual([one["service"] for one in supply.of_node("locks")], ["bench-1.psu"])
        self.assertEqual(supply.of_node("locks"), [])

    def test_a_lock_that_is_lost_is_told_where_the_node_does(self):
        supply = Proxy("bench-1.psu", address=EARLIER)
        lock = supply.lock("a look")
        lock.take()
        since = supply.of_node("locks")[0]["lock"]["since"]
        with self.assertRaises(fernlab.LabError) as caught:
            supply.unlock(seen="2026-01-01T00:00:00Z")
        self.assertEqual((caught.exception.code, caught.exception.details["since"]), ("hold-changed", since))
        self.assertEqual(len(supply.of_node("locks")), 1)
        fernlab.unlock([supply], seen={"bench-1.psu": since})
        # What it tells of that comes on the same link, before this answer.
        self.assertEqual(supply.of_node("locks"), [])
        lost = lock.until_lost(5.0 if VERSION == "1.3" else 0.3)
        self.assertEqual(lost and lost.code, "lock-ended" if VERSION == "1.3" else None)
        lock.release()


if __name__ == "__main__":
    unittest.main()

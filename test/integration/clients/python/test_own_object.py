"""What is followed of an object that a connection alone had, once that has ended."""
import os
import unittest

from fernlab import LabError, Proxy
from fernlab.background import background

SOCKET = os.environ["FERNLAB_SOCKET"]


def cut(proxy):
    async def work():
        proxy._service.group.connection._peer.link.abort("the wire broke")

    background().run(work())


class OwnObject(unittest.TestCase):
    def test_what_is_followed_of_it_ends_and_is_never_silently_that_of_another(self):
        mine = Proxy("mine", address=SOCKET)
        levels, watched = mine.follow("level", rate=50), mine.watch()
        self.assertEqual(mine.add(), 1)
        while next(levels)["level"]["value"] != 1:
            pass
        while next(watched) != 1:
            pass
        cut(mine)
        for item in (lambda: next(levels)["level"]["value"], lambda: next(watched)):
            with self.assertRaises(LabError) as caught:
                while True:
                    self.assertEqual(item(), 1, "of the same object")
            ended = caught.exception
            self.assertEqual((ended.code, ended.kind, ended.retry), ("session-ended", "link", "later"), ended.message)
        # Whoever follows again, or calls, knows that it is another.
        self.assertEqual(mine.add(), 1)
        self.assertEqual(next(mine.follow("level", rate=50))["level"]["value"], 1)
        mine.close()

    def test_what_is_followed_of_an_object_of_all_goes_on(self):
        ours = Proxy("ours", address=SOCKET)
        levels = ours.follow("level", rate=50)
        before = next(levels)["level"]["value"]
        cut(ours)
        self.assertEqual(ours.add(), before + 1)
        while next(levels)["level"]["value"] != before + 1:
            pass
        levels.close()
        ours.close()


if __name__ == "__main__":
    unittest.main()

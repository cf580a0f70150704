"""A student in a live session: the bench is theirs straight at its node, until the session is over."""
import asyncio
import time
import unittest

from fernlab import AsyncSession, Hub, LabError, Proxy, Session


class InSession(unittest.TestCase):
    def failure(self, work):
        with self.assertRaises(LabError) as caught:
            work()
        return caught.exception

    def test_a_session_of_ones_own_opens_its_bench_and_ends_with_the_block(self):
        box = Proxy("b.box")
        self.assertEqual(self.failure(lambda: box.set("value", 1)).code, "right-missing")
        with Session("small") as session:
            self.assertEqual((session.bench, list(session.parts)), ("pi.b", ["box"]))
            mine = session.parts["box"]
            mine.value = 7
            self.assertEqual(mine.value, 7)
            # Who looked at it before has it as well: it is one connection.
            self.assertEqual(box.value, 7)
            self.assertEqual(self.failure(lambda: mine.set("value", 11)).code, "value-out-of-limits")
            self.assertIsNone(session.lost)
        # Its node tells the hub a moment later.
        while Hub().ask_now("GET", f"/sessions/{session.id}")["state"] == "active":
            time.sleep(0.01)
        self.assertEqual(self.failure(lambda: box.set("value", 1)).code, "right-missing")

    def test_one_that_is_there_already_goes_on_and_its_end_elsewhere_is_the_end(self):
        hub = Hub()
        there = hub.ask_now("POST", "/sessions", body={"lab": "small"})

        async def work():
            async with AsyncSession("small") as session:
                await session.parts["box"].set("value", 3)
            await session.parts["box"].close()
            return session.id

        self.assertEqual(asyncio.run(work()), there["id"])
        self.assertEqual(hub.ask_now("GET", f"/sessions/{there['id']}")["state"], "active")
        with Session("small") as session:
            box = session.parts["box"]
            readings = box.follow("value", rate=20)
            self.assertEqual(next(readings)["value"]["value"], 3)
            hub.ask_now("DELETE", f"/sessions/{session.id}")
            code = None
            while code != "right-missing":
                try:
                    box.value = 4
                except LabError as error:
                    code = error.code
            self.assertIn(session.lost.code, ("hold-ended", "session-not-active"))
            readings.close()

    def test_the_session_of_another_opens_nothing(self):
        box = Proxy("b.box")
        self.assertEqual(self.failure(box.lock(session="01J00000000000000000000000").take).code, "session-not-active")
        self.assertEqual(self.failure(lambda: Session("nothing-such").__enter__()).code, "lab-unknown")


if __name__ == "__main__":
    unittest.main()

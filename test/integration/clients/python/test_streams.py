"""What an instrument samples by itself."""
import asyncio
import os
import unittest

from fernlab import AsyncProxy, Proxy

URL, ADA = os.environ["FERNLAB_URL"], os.environ["FERNLAB_ADA"]


class Streams(unittest.TestCase):
    def check(self, blocks):
        times = []
        for block in blocks:
            self.assertEqual(set(block), {"time", "columns"})
            self.assertEqual(set(block["columns"]), {"potential", "m"})
            for column in block["columns"].values():
                self.assertEqual(len(column), len(block["time"]))
            times += [float(time) for time in block["time"]]
        for before, after in zip(times, times[1:]):
            self.assertAlmostEqual(after - before, 0.001, delta=0.0001)

    def test_whoever_has_the_bench_follows_its_samples_in_blocks(self):
        neuron = Proxy("axon.neuron", address=URL, token=ADA)
        self.assertIsInstance(next(neuron.follow("potential", rate=50))["potential"]["value"], float)
        with neuron.lock("a spike"):
            blocks = neuron.follow("potential", "m", rate=1000)
            self.check([next(blocks) for _ in range(10)])
            blocks.close()

    def test_the_same_in_asyncio(self):
        async def work():
            neuron = await AsyncProxy.connect("axon.neuron", address=URL, token=ADA)
            taken = []
            async with neuron.lock("a spike"):
                async for block in neuron.follow("potential", "m", rate=1000):
                    taken.append(block)
                    if len(taken) == 10:
                        break
            await neuron.close()
            return taken

        self.check(asyncio.run(work()))


if __name__ == "__main__":
    unittest.main()

"""Modules of services with their types: what a type checker makes of calls, and that they are what runs."""
import ast
import asyncio
import contextlib
import importlib.util
import io
import os
import subprocess
import sys
import tempfile
import unittest

import fernlab
from fernlab.__main__ import main
from fernlab.stubs import Described, class_names, module_of

URL, TOKEN = (os.environ[name] for name in ("FERNLAB_URL", "FERNLAB_TOKEN"))
SOURCES = os.path.dirname(os.path.dirname(fernlab.__file__))
NAME = "bench1.supply"

RIGHT = """
import asyncio
from typing import Any, Iterator
from lab import Bench1Supply, Bench1SupplyAsync

with Bench1Supply(timeout=5) as supply:
    supply.voltage = 2
    volts: float = supply.voltage + supply.current
    supply.ramp(1.5, 4, from_=1)
    counted: Iterator[int] = supply.count(to=3)
    said: str = supply.do.read()
    begun: str = supply.begin("a") + supply.do.begin(key="b")
    values: Any = supply.read("voltage", "current")
    with supply.lock("sweep"):
        pass

async def work() -> None:
    other = await Bench1SupplyAsync.connect()
    await other.ramp(to=1)
    async for n in other.count(3):
        print(n + 1)
    said: str = await other.do.read()

asyncio.run(work())
"""
#: Each is refused, for what is named.
WRONG = {
    "supply.ramp()": "Missing positional argument",
    "supply.ramp('high')": "incompatible type",
    "supply.ramp(1, speed=2)": "Unexpected keyword argument",
    "supply.ramp(1, steps=1.5)": "incompatible type",
    "supply.ramps(1)": "has no attribute",
    "supply.volts": "has no attribute",
    "supply.volts = 1": "has no attribute",
    "supply.voltage = 'high'": "Incompatible types in assignment",
    "supply.current = 1": "read-only",
    "supply.do.count('many')": "incompatible type",
}


class Stubs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cache = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cache.cleanup)
        cls.cache = cache.name

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def write(self, text, name="lab.py"):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def checked(self, program):
        """What a type checker says of it, and of the module."""
        path = self.write(program, "program.py")
        command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--cache-dir", self.cache]
        command.extend(["--python-version=3.9", os.path.join(self.folder, "lab.py"), path])
        env = {**os.environ, "MYPYPATH": f"{SOURCES}:{self.folder}"}
        ended = subprocess.run(command, env=env, cwd=self.folder, capture_output=True, text=True, check=False)
        self.assertIn(ended.returncode, (0, 1), ended.stderr)
        return ended.stdout

    def supply(self):
        return fernlab.Proxy(NAME, address=URL, token=TOKEN)

    def test_right_calls_are_accepted_and_wrong_ones_are_not(self):
        self.write(module_of([Described(NAME, self.supply().contract)]))
        said = self.checked(RIGHT)
        self.assertIn("Success", said, said)
        begin = "from lab import Bench1Supply\nsupply = Bench1Supply()\n"
        said = self.checked(begin + "".join(f"{line}\n" for line in WRONG)).splitlines()
        for number, (line, why) in enumerate(WRONG.items(), 3):
            of_line = [one for one in said if f"program.py:{number}:" in one]
            self.assertTrue(any(why in one for one in of_line), f"{line}: {of_line}")

    def test_what_it_makes_are_proxies(self):
        path = self.write(module_of([Described(NAME, self.supply().contract)], URL))
        made = imported(path)
        supply = made.Bench1Supply(token=TOKEN)
        self.assertIsInstance(supply, fernlab.Proxy)
        supply.voltage = 2
        self.assertEqual(supply.voltage, 2)
        self.assertEqual(list(supply.ramp(2, 2)), [1, 2])

        async def work():
            other = await made.Bench1SupplyAsync.connect(token=TOKEN)
            counted = [n async for n in other.count(3)]
            await other.close()
            return counted

        self.assertEqual(asyncio.run(work()), [1, 2, 3])

    def test_text_of_a_contract_stays_text(self):
        evil = 'A "text" \\ that ends it """\nimport os\nos.abort()\n"""\0'
        spec = {"type": "string", "enum": ["'", "\\", '"""'], "default": "'", "description": evil}
        action = {"title": evil, "description": evil, "arguments": {"class": spec}, "result": {"type": "any"}}
        odd = {"arguments": {"a": {"type": "number", "default": float("inf")}, "b": {"type": "list", "items": spec}}}
        signal = {"title": evil, "dtype": "string", "access": "set", "unit": "1", "values": ["'"], "shape": []}
        contract = {"kind": evil, "version": "1.0", "title": evil, "events": {}}
        contract.update(actions={"lambda": action, "do": odd, "read": odd}, signals={"import": signal, "name": signal})
        text = module_of([Described("a", contract)])
        tree = ast.parse(text)
        self.assertEqual([type(one).__name__ for one in tree.body], ["Expr", "ImportFrom", "Import", "ImportFrom", "ImportFrom", "If"])
        actions = next(one for one in ast.walk(tree) if isinstance(one, ast.ClassDef) and one.name == "_AActions")
        self.assertEqual([one.name for one in actions.body], ["lambda_"])
        self.assertIn('os.abort()\n', ast.get_docstring(actions.body[0], clean=False))
        self.write(text)
        said = self.checked("from lab import A\nA().lambda_()\nA().do.do(b=['\"\"\"'])\nA().import_ = \"'\"\n")
        self.assertIn("Success", said, said)

    def test_no_two_classes_have_one_name(self):
        names = ["pi/bench3.scope", "pi2/bench3.scope", "pi/bench-3.scope", "pi/fit", "pi/fitAsync", "pi/1", "pi/proxy"]
        made = class_names(names)
        self.assertEqual(len({*made, *(f"{one}Async" for one in made)}), 2 * len(made), made)
        self.assertTrue(all(one.isidentifier() for one in made), made)
        self.assertEqual(class_names(["pi/bench3.scope", "pi/fit"]), ["Bench3Scope", "Fit"])

    def test_it_says_what_is_wrong_and_changes_nothing(self):
        path = self.write("mine = 1\n")
        token = self.write(TOKEN, "token")

        def ends_with(*args):
            said = io.StringIO()
            with contextlib.redirect_stderr(said):
                self.assertEqual(main(["stubs", *args]), 1)
            return said.getvalue()

        nowhere = ends_with(NAME, "--address", f"{self.folder}/none.sock", "-o", path)
        self.assertIn(f"{self.folder}/none.sock", nowhere)
        self.assertIn("missing", ends_with(NAME, "--address", URL, "--token-file", f"{self.folder}/missing"))
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), "mine = 1\n")
        self.assertEqual(sorted(os.listdir(self.folder)), [os.path.basename(one) for one in sorted([path, token])])


def imported(path):
    spec = importlib.util.spec_from_file_location("lab", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    unittest.main()

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
import unittest.mock

import fernlab
from fernlab.__main__ import main
from fernlab.stubs import Described, class_names, module_of

URL, TOKEN = (os.environ[name] for name in ("FERNLAB_URL", "FERNLAB_TOKEN"))
SOURCES = os.path.dirname(os.path.dirname(fernlab.__file__))
NAME = "bench1.supply"
#: What the package itself imports is no concern of who checks a program.
SETTINGS = """
[mypy]
strict = True
python_version = 3.9
follow_imports = silent
[mypy-numpy.*,websockets.*,cbor2.*]
follow_imports = skip
"""
EVIL = 'A "text" \\ that ends it """\nimport os\nos.abort()\n"""\0'

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


def supply():
    return fernlab.Proxy(NAME, address=URL, token=TOKEN)


def odd_module():
    """Of a contract whose texts try to be code, and whose names are none of Python's."""
    spec = {"type": "string", "enum": ["'", "\\", '"""'], "default": "'", "description": EVIL}
    action = {"title": EVIL, "description": EVIL, "arguments": {"class": spec}, "result": {"type": "any"}}
    odd = {"arguments": {"a": {"type": "number", "default": float("inf")}, "b": {"type": "list", "items": spec}}}
    signal = {"title": EVIL, "dtype": "string", "access": "set", "unit": "1", "values": ["'"], "shape": []}
    contract = {"kind": EVIL, "version": "1.0", "title": EVIL, "events": {}}
    contract.update(actions={"lambda": action, "do": odd, "read": odd}, signals={"import": signal, "name": signal})
    return module_of([Described("a", contract)])


def checked(files):
    """What a type checker says of programs and modules, by file: one run, since each reads most of the library anew."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in {**files, "mypy.ini": SETTINGS}.items():
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(text)
        env = {**os.environ, "MYPYPATH": f"{SOURCES}:{folder}"}
        command = [sys.executable, "-m", "mypy", "--config-file=mypy.ini", "--no-error-summary", *files]
        ended = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, check=False)
    said = {name: [line for line in ended.stdout.splitlines() if line.startswith(f"{name}:")] for name in files}
    if ended.returncode not in (0, 1) or sum(map(len, said.values())) != len(ended.stdout.splitlines()):
        raise AssertionError(ended.stdout + ended.stderr)
    return said


def errors_of(said):
    """Notes say where what a wrong call misses is defined."""
    return [line for line in said if ": note:" not in line]


class Checked(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        begin = "from lab import Bench1Supply\nsupply = Bench1Supply()\n"
        odd = "from odd import A\nA().lambda_()\nA().do.do(b=['\"\"\"'])\nA().import_ = \"'\"\n"
        cls.said = checked(
            {
                "lab.py": module_of([Described(NAME, supply().contract)]),
                "right.py": RIGHT,
                "wrong.py": begin + "".join(f"{line}\n" for line in WRONG),
                "odd.py": odd_module(),
                "of_odd.py": odd,
            }
        )

    def test_right_calls_are_accepted(self):
        self.assertEqual(errors_of([*self.said["lab.py"], *self.said["right.py"]]), [])

    def test_wrong_calls_are_refused_each_for_what_is_wrong(self):
        for number, (line, why) in enumerate(WRONG.items(), 3):
            of_line = [one for one in self.said["wrong.py"] if one.startswith(f"wrong.py:{number}:")]
            self.assertTrue(any(why in one for one in of_line), f"{line}: {of_line}")

    def test_a_module_of_odd_texts_and_names_is_right(self):
        self.assertEqual(errors_of([*self.said["odd.py"], *self.said["of_odd.py"]]), [])


class Stubs(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def write(self, text, name="lab.py"):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def test_what_it_makes_are_proxies(self):
        path = self.write(module_of([Described(NAME, supply().contract)], URL))
        made = imported(path)
        one = made.Bench1Supply(token=TOKEN)
        self.assertIsInstance(one, fernlab.Proxy)
        one.voltage = 2
        self.assertEqual(one.voltage, 2)
        self.assertEqual(list(one.ramp(2, 2)), [1, 2])

        async def work():
            other = await made.Bench1SupplyAsync.connect(token=TOKEN)
            counted = [n async for n in other.count(3)]
            await other.close()
            return counted

        self.assertEqual(asyncio.run(work()), [1, 2, 3])

    def test_text_of_a_contract_stays_text(self):
        tree = ast.parse(odd_module())
        self.assertEqual([type(one).__name__ for one in tree.body], ["Expr", "ImportFrom", "Import", "ImportFrom", "ImportFrom", "If"])
        actions = next(one for one in ast.walk(tree) if isinstance(one, ast.ClassDef) and one.name == "_AActions")
        self.assertEqual([one.name for one in actions.body], ["lambda_"])
        self.assertIn('os.abort()\n', ast.get_docstring(actions.body[0], clean=False))

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

        with unittest.mock.patch("fernlab.nodes_directory.ANSWER_S", 0.1):
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

"""Lists of numbers where a contract says array, with numpy and without."""
import array
import sys
import unittest
from fractions import Fraction

if __name__ == "__main__" and "--without-numpy" in sys.argv:
    sys.argv.remove("--without-numpy")
    sys.modules["numpy"] = None

from fernlab import LabError
from fernlab.rpc import arrays
from fernlab.typed_lists import with_typed_arrays, with_typed_calls

SPECS = {
    "x": {"type": "array", "of": "float64"},
    "small": {"type": "array", "of": "float32"},
    "bytes": {"type": "array", "of": "uint8"},
    "points": {"type": "list", "items": {"type": "number"}},
    "traces": {"type": "list", "items": {"type": "array", "of": "int16"}},
    "curve": {"type": "object", "members": {"y": {"type": "array", "of": "int32"}, "name": {"type": "string"}}},
    "what": {"type": "any"},
}


class TypedLists(unittest.TestCase):
    def refused(self, **given):
        with self.assertRaises(LabError) as caught:
            with_typed_arrays(SPECS, given)
        self.assertEqual(caught.exception.code, "call-invalid")
        return [f"{issue['path']} {issue['message']}" for issue in caught.exception.issues]

    def test_they_become_arrays_of_the_kind_that_is_said_in_lists_and_objects_too(self):
        given = {"x": [1, -2.5], "small": (0.5,), "bytes": [0, 255], "traces": [[-1, 2.0], []]}
        given["curve"] = {"y": [7], "name": "a"}
        wanted = {
            "x": array.array("d", [1, -2.5]),
            "small": array.array("f", [0.5]),
            "bytes": array.array("B", [0, 255]),
            "traces": [array.array("h", [-1, 2]), array.array("h")],
            "curve": {"y": array.array("i", [7]), "name": "a"},
        }
        typed = with_typed_arrays(SPECS, given)
        self.assertEqual(typed, wanted)
        self.assertEqual((typed["traces"][1].typecode, typed["small"].typecode), ("h", "f"))
        self.assertEqual(given["x"], [1, -2.5], "what the program has stays what it is")
        self.assertEqual(with_typed_arrays(SPECS, {"x": [Fraction(1, 2)]})["x"][0], 0.5)

    def test_all_else_stays_what_it_is(self):
        own = array.array("d", [1])
        same = {"points": [1, 2], "what": [1, "a"], "x": own, "bytes": b"abc", "other": [3], "traces": 5, "curve": None}
        given = with_typed_arrays(SPECS, same)
        self.assertEqual(given, same)
        self.assertIs(given["x"], own)
        calls = [("go", {"x": [1]}), ("signals.read", {"signals": ["x"]}), ("go", None)]
        contract = {"actions": {"go": {"arguments": SPECS}}}
        wanted = [("go", {"x": array.array("d", [1])}), *calls[1:]]
        self.assertEqual(with_typed_calls(contract, calls), wanted)

    def test_the_item_that_is_no_number_is_named(self):
        self.assertEqual(
            self.refused(x=[1, "two", "three"], curve={"y": [None], "name": "a"}),
            ["x[1] must be a number, not 'two'", "curve.y[0] must be a number, not None"],
        )
        self.assertEqual(self.refused(traces=[[1], [2, [3]]]), ["traces[1][1] must be a number, not [3]"])
        self.assertEqual(self.refused(x=[True]), ["x[0] must be a number, not True"])
        self.assertLess(len(self.refused(x=["a" * 1000])[0]), 120)

    def test_a_whole_number_that_does_not_fit_is_named(self):
        self.assertEqual(self.refused(bytes=[1, 256]), ["bytes[1] 256 can't be held as uint8"])
        self.assertEqual(self.refused(traces=[[0.5]]), ["traces[0][0] 0.5 can't be held as int16"])
        self.assertEqual(self.refused(bytes=[float("nan")]), ["bytes[0] nan can't be held as uint8"])
        self.assertEqual(self.refused(bytes=[-1]), ["bytes[0] -1 can't be held as uint8"])
        self.assertRegex(self.refused(bytes=[10**400])[0], r"can't be held as uint8$")
        self.assertEqual(self.refused(bytes=[float("inf")]), ["bytes[0] inf can't be held as uint8"])
        self.assertEqual(self.refused(small=[1, -1e300]), ["small[1] -1e+300 can't be held as float32"])
        held = with_typed_arrays(SPECS, {"small": [3.4028235e38, float("inf")]})["small"]
        self.assertEqual([value < float("inf") for value in held], [True, False])
        self.assertRegex(self.refused(x=[10**400])[0], r"^x\[0\] 10{59}… can't be held as float64$")

    @unittest.skipIf(arrays.numpy is None, "numpy is not here")
    def test_scalars_of_numpy_are_numbers(self):
        numpy = arrays.numpy
        typed = with_typed_arrays(SPECS, {"x": [numpy.float32(0.5), numpy.int64(2)], "bytes": [numpy.uint8(7)]})
        self.assertEqual((list(typed["x"]), list(typed["bytes"])), ([0.5, 2], [7]))


if __name__ == "__main__":
    unittest.main()

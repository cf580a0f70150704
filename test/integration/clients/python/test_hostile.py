"""What comes from a stranger harms neither the formats nor the peer, with numpy and without."""
import array
import random
import sys
import time
import unittest

if __name__ == "__main__" and "--without-numpy" in sys.argv:
    sys.argv.remove("--without-numpy")
    sys.modules["numpy"] = None

from fernlab import LabError
from fernlab.rpc import arrays
from fernlab.rpc.formats import FORMATS
from fernlab.rpc.limits import DEFAULT_LIMITS, PIECE_BYTES
from fernlab.rpc.messages import kind_of
from fernlab.rpc.pieces import Inbox, Pieces

MESSAGE = {"id": 1, "method": "a", "params": {"$x": [1, -1.5, "é", array.array("f", [1, 2]), b"12", None, True]}}
FRAMES = 3000


def code_of(read):
    try:
        read()
    except LabError as error:
        return error.code
    return None


class Formats(unittest.TestCase):
    def test_spoiled_frames_are_unreadable_and_nothing_else(self):
        dice = random.Random(1)
        for format in FORMATS.values():
            good = format.write(MESSAGE, DEFAULT_LIMITS)
            for _ in range(FRAMES):
                at = dice.randrange(len(good))
                if isinstance(good, bytes):
                    spoiled = good[:at] + dice.randbytes(dice.randrange(20)) + good[at + dice.randrange(3) :]
                else:
                    junk = "".join(dice.choice('{}[]",:\\ue19$é\ud800') for _ in range(dice.randrange(20)))
                    spoiled = good[:at] + junk + good[at + dice.randrange(3) :]
                code = code_of(lambda: kind_of(format.read(spoiled, DEFAULT_LIMITS), DEFAULT_LIMITS))
                self.assertIn(code, (None, "rpc-unreadable"), repr(spoiled))

    def test_few_bytes_that_claim_much_cost_nothing(self):
        bombs = {
            "elements": b"\x9a\xff\xff\xff\xff",
            "members": b"\xbb\x00\x00\x00\xff\xff\xff\xff\xff",
            "text": b"\x7b\x00\x0f\xff\xff\xff\xff\xff\xff",
            "depth": b"\x81" * 100_000,
            "indefinite": b"\x9f\x01\xff",
            "decimal": b"\xc4\x82\x1a\x3b\x9a\xca\x00\x01",
            "shared": b"\xd8\x1c\x81\xd8\x1d\x00",
            "bignum": b"\xc2\x41\x01",
            "beyond": b"\x1b\x00\x20\x00\x00\x00\x00\x00\x00",
            "half an element": b"\xd8\x56\x47" + bytes(7),
            "number of a typed array": b"\xd8\x56\xf9\x00\x00\x40",
            "name": b"\xa1\x01\x01",
            "follows": b"\x01\x01",
            "nothing": b"",
            "no utf-8": b"\x61\xff",
        }
        began = time.process_time()
        for name, frame in bombs.items():
            self.assertEqual(code_of(lambda: FORMATS["cbor"].read(frame, DEFAULT_LIMITS)), "rpc-unreadable", name)
        texts = ["[" * 100_000, "1" * 1_000_000 + "x", "NaN", '{"$type":"float64","base64":"AAA="}', '{"$type":{}}', ""]
        for text in texts:
            self.assertEqual(code_of(lambda: FORMATS["json"].read(text, DEFAULT_LIMITS)), "rpc-unreadable", text[:40])
        self.assertLess(time.process_time() - began, 5)

    def test_names_that_others_reserve_are_refused(self):
        for format in FORMATS.values():
            self.assertEqual(code_of(lambda: format.write({"__proto__": 1}, DEFAULT_LIMITS)), "value-unwritable")
        self.assertEqual(code_of(lambda: FORMATS["json"].read('{"__proto__":1}', DEFAULT_LIMITS)), "rpc-unreadable")
        frame = b"\xa1\x69__proto__\x01"
        self.assertEqual(code_of(lambda: FORMATS["cbor"].read(frame, DEFAULT_LIMITS)), "rpc-unreadable")

    def test_arrays_are_those_of_numpy_where_it_is(self):
        for format in FORMATS.values():
            sent = {"a": array.array("d", [1.5, -2]), "b": array.array("q", [-(2**63)])}
            read = format.read(format.write(sent, DEFAULT_LIMITS), DEFAULT_LIMITS)
            self.assertEqual([list(read["a"]), list(read["b"])], [[1.5, -2], [-(2**63)]])
            kind = array.array if arrays.numpy is None else arrays.numpy.ndarray
            self.assertIsInstance(read["a"], kind)


class InPieces(unittest.TestCase):
    def test_long_messages_are_put_together(self):
        for whole in (bytes(range(256)) * 1000, "ñ𝄞" * 100_000):
            pieces, inbox, taken = Pieces(whole, 7), Inbox(DEFAULT_LIMITS), []
            while not pieces.is_done:
                piece = pieces.next()
                data = piece.encode() if isinstance(piece, str) else piece
                self.assertLessEqual(len(data), 3 * PIECE_BYTES + 64)
                taken.append(inbox.take(piece))
            self.assertEqual(taken[-1], whole)
            self.assertEqual(set(taken[:-1]), {None})

    def test_memory_of_what_never_ends_is_bounded(self):
        for part in (b"\x01\x00\x00\x00%c", "+%d:"):
            inbox = Inbox(DEFAULT_LIMITS)
            codes = {code_of(lambda: inbox.take(part % number)) for number in range(100)}
            self.assertEqual(codes, {None, "message-too-large"})
            self.assertLessEqual(len(inbox._partial), DEFAULT_LIMITS.partial_messages)
        for frame in (b"\x01\x00", "+x:", "+:", ".12345678901:", "+1", "+²:"):
            self.assertEqual(code_of(lambda: Inbox(DEFAULT_LIMITS).take(frame)), "rpc-unreadable", frame)


if __name__ == "__main__":
    unittest.main()

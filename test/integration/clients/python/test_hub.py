"""The directory, tokens, locks and runs, as a hub gives them: what the client asks, and what it makes of the answers."""
import asyncio
import http.server
import json
import os
import threading
import time
import types
import unittest
import unittest.mock
import urllib.parse

import fernlab
from fernlab import AsyncProxy, AsyncRun, Directory, LabError, Proxy, Run
from fernlab.background import background

URL, TOKEN = os.environ["FERNLAB_URL"], os.environ["FERNLAB_TOKEN"]
CONTRACT = {"kind": "demo-supply", "version": "1.2", "actions": {}, "signals": {}, "events": {}}
TIME = "2030-01-01T00:00:00.000Z"


def entry(name, bench="pi.bench1"):
    address = f"fernlab://site/pi/{name}"
    return {"id": f"pi/{name}", "name": name, "node": "pi", "bench": bench, "address": address, "contract": CONTRACT}


async def last_sign_in():
    peer = await fernlab.connect(URL)
    answer = await peer.call("lastSignIn")
    await peer.close()
    return answer


def break_link(proxy):
    async def work():
        peer = proxy._service.group.connection._peer
        ended = asyncio.get_running_loop().create_future()
        peer.on_end(ended.set_result)
        peer.send("cut")
        await ended
        return peer

    return background().run(work())


def until(condition, what):
    async def work():
        while not condition():
            await asyncio.sleep(0.01)

    try:
        background().run(asyncio.wait_for(work(), 60))
    except asyncio.TimeoutError:
        raise AssertionError(f"never: {what}") from None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do(self):
        length = int(self.headers.get("content-length") or 0)
        path, _, query = self.path.partition("?")
        asked = (self.command, path, urllib.parse.parse_qs(query), json.loads(self.rfile.read(length) or b"null"))
        self.server.asked.append((*asked, dict(self.headers)))
        answer = self.server.answers[f"{self.command} {path}"]
        status, body = answer(asked) if callable(answer) else answer
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        if status == 302:
            self.send_header("location", "/elsewhere")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_DELETE = do

    def log_message(self, *_):
        pass


class ByHub(unittest.TestCase):
    def setUp(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.asked, self.server.answers = [], {}
        thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.hub = f"http://127.0.0.1:{self.server.server_port}/"

    def failure(self, work):
        with self.assertRaises(LabError) as caught:
            work()
        return caught.exception

    def offer(self, *names):
        for name in names:
            self.server.answers[f"GET /api/v1/directory/{name}"] = (200, entry(name))

        def token(asked):
            given = {"token": TOKEN, "lastsMs": 3600000, "node": "pi", "addresses": ["ws://127.0.0.1:1/rpc", URL]}
            return 201, given

        self.server.answers["POST /api/v1/directory/tokens"] = token

    def lease(self, given_back):
        lease = "/api/v1/benches/pi.bench1/lease"
        self.server.answers[f"POST {lease}"] = (200, {"lease": "L1", "expiresAt": TIME})
        self.server.answers[f"DELETE {lease}"] = given_back

    def bodies(self, method, path):
        return [asked[3] for asked in self.server.asked if asked[:2] == (method, f"/api/v1{path}")]

    def test_a_search_takes_all_pages(self):
        pages = iter([{"items": [{"name": "a"}], "cursor": "next"}, {"items": [{"name": "b"}]}])
        self.server.answers["GET /api/v1/directory"] = lambda _: (200, next(pages))
        found = Directory(self.hub, "secret").search(tag=["supply", "diode"], any_tag="x", state="up", pattern="b*")
        self.assertEqual([one["name"] for one in found], ["a", "b"])
        first, second = [asked[2] for asked in self.server.asked]
        asked = {"tag": ["supply", "diode"], "anyTag": ["x"], "state": ["up"], "pattern": ["b*"], "limit": ["200"]}
        self.assertEqual(first, asked)
        self.assertEqual(second, {**asked, "cursor": ["next"]})
        self.assertEqual(self.server.asked[0][4]["Authorization"], "Bearer secret")

    def test_refusals_are_errors_with_their_codes(self):
        problem = {"code": "service-ambiguous", "detail": "two", "hint": "name the node", "issues": [], "retry": "never"}
        self.server.answers["GET /api/v1/directory/pi/bench1.supply"] = (409, problem)
        directory = Directory(self.hub)
        error = self.failure(lambda: directory.get("fernlab://site/pi/bench1.supply"))
        self.assertEqual((error.code, error.message, error.student_message), ("service-ambiguous", "two", "name the node"))
        issues = [{"path": "protocol", "message": "may be sweep"}, {"path": "", "message": "no protocol b"}]
        unknown = {"code": "protocol-unknown", "detail": "iv has no protocol b", "issues": issues}
        self.server.answers["POST /api/v1/runs"] = (422, unknown)
        error = self.failure(lambda: fernlab.submit("iv", "b", hub=self.hub))
        self.assertEqual(str(error), "iv has no protocol b: protocol may be sweep (protocol-unknown)")
        self.assertEqual(error.issues, issues)
        many = [{"path": f"p{number}", "message": "is wrong"} for number in range(12)]
        self.server.answers["POST /api/v1/runs"] = (422, {**unknown, "issues": many})
        error = self.failure(lambda: fernlab.submit("iv", "b", hub=self.hub))
        self.assertTrue(error.message.endswith("; p9 is wrong; and 2 more"), error.message)
        for status, body in ((502, b"<html>"), (404, b"[]"), (200, b"no json"), (200, b"[]"), (302, b"")):
            self.server.answers["GET /api/v1/directory"] = (status, body)
            self.assertEqual(self.failure(lambda: directory.search()).code, "unexpected-answer", status)
        nobody = Directory("http://127.0.0.1:1")
        self.assertEqual(self.failure(nobody.search).code, "hub-unreachable")
        self.assertEqual(self.failure(lambda: Directory("ftp://x")).code, "address-wrong")

    def test_a_proxy_asks_for_a_token_of_all_that_is_used(self):
        self.offer("bench1.supply", "bench1.meter")
        supply = Proxy("bench1.supply", self.hub)
        Proxy("bench1.meter", self.hub)
        self.assertEqual(set(supply.readings("voltage")), {"voltage"})
        self.assertEqual(
            self.bodies("POST", "/directory/tokens"), [{"services": ["pi/bench1.supply", "pi/bench1.meter"]}]
        )
        self.assertEqual(supply.way.address, URL)
        supply.close()

    def test_a_lock_holds_the_bench_once_and_gives_it_back(self):
        self.offer("bench1.supply", "bench1.meter")
        lease = "/api/v1/benches/pi.bench1/lease"
        self.server.answers[f"POST {lease}"] = (200, {"lease": "L1", "expiresAt": TIME})
        self.server.answers[f"DELETE {lease}"] = (200, {"safe": True})
        supply, meter = Proxy("bench1.supply", self.hub), Proxy("bench1.meter", self.hub)
        with fernlab.lock([meter, supply], "sweep", grace=30) as held:
            self.assertIsNone(held.lost)
            supply.set("voltage", 1)
            self.assertEqual(asyncio.run(last_sign_in()), {"token": TOKEN, "graceS": 30})
            self.assertEqual(self.failure(supply.lock("again").take).code, "locked-already")
            self.assertEqual(self.bodies("POST", "/directory/tokens")[-1]["lease"], "L1")
        self.assertEqual(self.bodies("POST", "/benches/pi.bench1/lease"), [{"ttlS": 600, "reason": "sweep"}])
        deleted = [asked[2] for asked in self.server.asked if asked[0] == "DELETE"]
        self.assertEqual(deleted, [{"lease": ["L1"]}])
        self.assertNotIn("lease", self.bodies("POST", "/directory/tokens")[-1])
        supply.close()

    def test_a_lock_is_all_or_nothing(self):
        self.offer("bench1.supply")
        self.server.answers["GET /api/v1/directory/bench2.supply"] = (200, entry("bench2.supply", "pi.bench2"))
        self.server.answers["POST /api/v1/benches/pi.bench1/lease"] = (200, {"lease": "L1", "expiresAt": TIME})
        self.server.answers["DELETE /api/v1/benches/pi.bench1/lease"] = (200, {"safe": True})
        refusal = (409, {"code": "bench-busy", "detail": "it has a run"})
        self.server.answers["POST /api/v1/benches/pi.bench2/lease"] = refusal
        second, first = Proxy("bench2.supply", self.hub), Proxy("bench1.supply", self.hub)
        self.assertEqual(self.failure(fernlab.lock([second, first]).take).code, "bench-busy")
        self.assertEqual([asked[0] for asked in self.server.asked if "lease" in asked[1]], ["POST", "POST", "DELETE"])

    def test_a_hub_that_is_away_stops_nobody(self):
        self.offer("bench1.supply")
        supply = Proxy("bench1.supply", self.hub)
        supply.readings("voltage")
        self.server.shutdown()
        self.server.server_close()
        break_link(supply)
        self.assertEqual(set(supply.readings("voltage")), {"voltage"})
        supply.close()

    def test_the_hub_says_why_it_leads_nowhere(self):
        self.offer("bench1.supply")
        given = {"token": TOKEN, "lastsMs": 3600000, "node": "pi", "addresses": []}
        self.server.answers["POST /api/v1/directory/tokens"] = (201, given)
        offline = {"code": "node-offline", "detail": "pi is not connected", "retry": "later"}
        self.server.answers["GET /api/v1/nodes/pi/services"] = (503, offline)
        supply = Proxy("bench1.supply", self.hub, "mine", timeout=1)
        error = self.failure(lambda: supply.read("voltage"))
        self.assertEqual(error.code, "node-unreachable")
        self.assertEqual(error.issues, [{"path": "hub:pi", "message": "pi is not connected"}])
        headers = next(asked[4] for asked in self.server.asked if asked[1].endswith("/services"))
        self.assertEqual({key.lower(): value for key, value in headers.items()}["authorization"], "Bearer mine")
        self.server.answers["GET /api/v1/nodes/pi/services"] = (401, {"code": "sign-in-needed", "detail": "who?"})
        self.assertEqual(self.failure(lambda: supply.read("voltage")).code, "sign-in-needed")

    def test_a_program_without_a_token_is_told_how_one_is_given(self):
        self.server.answers["GET /api/v1/directory"] = (401, {"code": "sign-in-needed", "detail": "somebody who is signed in"})
        with unittest.mock.patch.dict(os.environ):
            os.environ.pop("FERNLAB_TOKEN", None)
            error = self.failure(lambda: Directory(self.hub).search())
        self.assertEqual((error.code, error.kind), ("token-missing", "configuration"))
        self.assertRegex(error.message, "^somebody who is signed in: give a token as token= or in FERNLAB_TOKEN ")
        refused = self.failure(lambda: Directory(self.hub, "mine").search())
        self.assertEqual(refused.message, "somebody who is signed in")

    def test_a_held_bench_has_a_link_that_is_opened_again(self):
        self.offer("bench1.supply")
        self.lease((200, {"safe": True}))
        supply = Proxy("bench1.supply", self.hub)
        connection = supply._service.group.connection
        with supply.lock("sweep", grace=20):
            self.assertEqual(asyncio.run(last_sign_in()), {"token": TOKEN, "graceS": 20})
            for _ in range(2):
                before = break_link(supply)
                until(lambda: connection._peer not in (None, before), "another link")
        supply.close()

    def test_the_link_goes_on_without_the_hold_before_the_bench_is_given_back(self):
        self.offer("bench1.supply")
        self.lease((200, {"safe": True}))
        supply = Proxy("bench1.supply", self.hub)
        with supply.lock("sweep", grace=20):
            pass
        (_, first, _, body, _), (last, *_) = self.server.asked[-2:]
        self.assertEqual((first, body, last), ("/api/v1/directory/tokens", {"services": ["pi/bench1.supply"]}, "DELETE"))
        supply.close()

    def test_a_service_that_has_gone_closes_no_other(self):
        self.offer("bench1.supply", "bench1.meter", "bench1.lamp", "bench1.fan")
        token = self.server.answers["POST /api/v1/directory/tokens"]
        refused = {"pi/bench1.meter": (404, {"code": "service-unknown", "detail": "there is none"})}

        def answer(asked):
            return next((refused[name] for name in asked[3]["services"] if name in refused), None) or token(asked)

        self.server.answers["POST /api/v1/directory/tokens"] = answer
        self.server.answers["GET /api/v1/directory/pi/bench1.supply"] = (200, entry("bench1.supply"))
        self.server.answers["GET /api/v1/directory/pi/bench1.meter"] = refused["pi/bench1.meter"]
        supply = Proxy("bench1.supply", self.hub)
        Proxy("bench1.meter", self.hub)
        self.assertEqual(set(supply.readings("voltage")), {"voltage"})
        tokens = [body["services"] for body in self.bodies("POST", "/directory/tokens")]
        self.assertEqual(tokens, [["pi/bench1.supply", "pi/bench1.meter"], ["pi/bench1.supply"]])
        # It is back; one that was refused with its own name alone is not asked for again.
        refused.clear()
        refused["pi/bench1.lamp"] = (403, {"code": "right-missing", "detail": "not yours"})
        self.assertEqual(self.failure(lambda: Proxy("bench1.lamp", self.hub)).code, "right-missing")
        Proxy("bench1.meter", self.hub)
        Proxy("bench1.fan", self.hub)
        last = self.bodies("POST", "/directory/tokens")[-1]["services"]
        self.assertEqual(last, ["pi/bench1.supply", "pi/bench1.meter", "pi/bench1.fan"])
        supply.close()

    def lose_leases(self):
        ended = (409, {"code": "lease-ended", "detail": "it has ended"})
        token = self.server.answers["POST /api/v1/directory/tokens"]
        self.server.answers["POST /api/v1/directory/tokens"] = lambda asked: ended if "lease" in asked[3] else token(asked)
        self.server.answers["POST /api/v1/benches/pi.bench1/lease"] = ended

    def test_a_lock_that_was_lost_is_in_the_way_of_nothing(self):
        self.offer("bench1.supply", "bench1.meter")
        offered = dict(self.server.answers)
        supply = Proxy("bench1.supply", self.hub)
        refused = (401, {"code": "token-refused", "detail": "the sign-in has ended"})

        def by_token(held):
            Proxy("bench1.meter", self.hub)

        def by_renewal(held):
            until(lambda: held.lost is not None, "the lock was lost")
            break_link(supply)

        for lose in (by_token, by_renewal):
            self.server.answers.update(offered)
            self.lease(refused)
            with self.subTest(lose.__name__), unittest.mock.patch("fernlab.locks.HOLD_S", 0.05 if lose is by_renewal else 600):
                with supply.lock("sweep") as held:
                    self.lose_leases()
                    lose(held)
                    self.assertEqual(set(supply.readings("voltage")), {"voltage"})
                    self.assertEqual(held.lost.code, "lease-ended")
                self.assertNotIn("lease", self.bodies("POST", "/directory/tokens")[-1])
        supply.close()

    def test_a_hub_that_does_not_renew_a_hold_has_lost_it_once_its_time_is_over_and_not_before(self):
        self.offer("bench1.supply")
        self.lease((200, {"safe": True}))
        supply = Proxy("bench1.supply", self.hub)
        for wrong in ((503, b""), (200, b"no json")):
            self.lease((200, {"safe": True}))
            with self.subTest(wrong), unittest.mock.patch("fernlab.locks.HOLD_S", 3):
                with supply.lock("sweep") as held:
                    self.server.answers["POST /api/v1/benches/pi.bench1/lease"] = wrong
                    self.assertIsNone(held.until_lost(0.8), "its time is not over")
                    lost = held.until_lost(20)
                    self.assertEqual((lost.code, lost.kind), ("lease-ended", "caller"))
                    self.assertRegex(lost.message, "^pi.bench1 could not be held on for 0.05 minutes: ")
        supply.close()

    def test_what_may_have_been_taken_is_in_the_way_until_it_would_have_ended_by_itself(self):
        self.offer("bench1.supply")
        silent = (503, {"code": "node-silent", "detail": "no answer", "retry": "later"})
        supply = Proxy("bench1.supply", self.hub)
        patched = {"HOLD_S": 2, "_WAITS_S": (), "GIVE_BACK_EACH_S": 600}
        with unittest.mock.patch.multiple("fernlab.asked_hold", **patched):
            self.server.answers["POST /api/v1/benches/pi.bench1/lease"] = silent
            self.assertEqual(self.failure(supply.lock().take).code, "node-silent")
            asked = time.monotonic()
            self.assertEqual(self.failure(supply.lock().take).code, "node-silent")
            time.sleep(max(0, asked + 2.1 - time.monotonic()))
            self.lease((200, {"safe": True}))
            self.server.asked.clear()
            with supply.lock():
                self.assertEqual([one[0] for one in self.server.asked if "lease" in one[1]], ["POST"])
        supply.close()

    def test_of_two_that_take_a_bench_at_once_in_one_program_one_is_told_that_it_has_it_already(self):
        self.offer("bench1.supply")
        self.lease((200, {"safe": True}))

        async def work():
            supply = await AsyncProxy.connect("bench1.supply", self.hub)
            first, second = supply.lock("sweep"), supply.lock("again")
            taken = await asyncio.gather(first.take(), second.take(), return_exceptions=True)
            await first.release()
            async with supply.lock("later"):
                pass
            return taken

        first, second = asyncio.run(work())
        self.assertIsNone(first)
        self.assertEqual(getattr(second, "code", second), "locked-already")
        self.assertEqual([body["reason"] for body in self.bodies("POST", "/benches/pi.bench1/lease")], ["sweep", "later"])

    def test_a_closed_program_asks_no_more_for_what_it_may_have_taken(self):
        self.offer("bench1.supply")
        self.server.answers["POST /api/v1/benches/pi.bench1/lease"] = (503, {"code": "node-silent", "detail": "no answer"})

        async def work():
            supply = await AsyncProxy.connect("bench1.supply", self.hub)
            with self.assertRaises(LabError):
                await supply.lock().take()
            await supply.close()
            before = len(self.bodies("POST", "/benches/pi.bench1/lease"))
            await asyncio.sleep(0.5)
            self.assertEqual(len(self.bodies("POST", "/benches/pi.bench1/lease")), before)

        patched = {"_WAITS_S": (), "GIVE_BACK_EACH_S": 0.05}
        with unittest.mock.patch.multiple("fernlab.asked_hold", **patched):
            asyncio.run(work())

    def test_a_bench_that_comes_after_it_was_given_up_is_given_back(self):
        self.offer("bench1.supply")
        self.lease((200, {"safe": True}))
        asked, go = threading.Event(), threading.Event()
        taken = self.server.answers["POST /api/v1/benches/pi.bench1/lease"]
        self.server.answers["POST /api/v1/benches/pi.bench1/lease"] = lambda _: asked.set() or go.wait() and taken

        async def work():
            supply = await AsyncProxy.connect("bench1.supply", self.hub)
            taking = asyncio.ensure_future(supply.lock("sweep").take())
            await asyncio.get_running_loop().run_in_executor(None, asked.wait)
            taking.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await taking
            go.set()

        # The loop's threads have ended at its end.
        asyncio.run(work())
        self.assertEqual([asked[2] for asked in self.server.asked if asked[0] == "DELETE"], [{"lease": ["L1"]}])

    def test_a_run_is_submitted_once_followed_and_read(self):
        lost = iter([(503, b""), (201, {"id": "r1"})])
        self.server.answers["POST /api/v1/runs"] = lambda _: next(lost)
        self.assertEqual(self.failure(lambda: fernlab.submit("iv", "sweep", hub=self.hub)).retry, "later")
        run = fernlab.submit("iv", "sweep", {"points": 3}, note="mine", hub=self.hub)
        sent = {"lab": "iv", "protocol": "sweep", "parameters": {"points": 3}, "note": "mine"}
        self.assertEqual(self.bodies("POST", "/runs")[-1], sent)
        # The hub ends the events in between: they go on after the last that came.
        parts = iter(
            [
                b'retry: 1000\n\nid: 1\nevent: state\ndata: {"state":\ndata: "running"}\n\n: nothing\n\nid: 2\nevent: data\n',
                b'event: data\ndata: [1]\n\nid: 3\nevent: end\ndata: {"id": "r1"}\n\n',
            ]
        )
        self.server.answers["GET /api/v1/runs/r1/events"] = lambda _: (200, next(parts))
        events = [(event.name, event.data) for event in run.events()]
        self.assertEqual(events, [("state", {"state": "running"}), ("data", [1]), ("end", {"id": "r1"})])
        self.assertEqual(self.server.asked[-1][4]["Last-Event-Id"], "1")
        # One of a kind that only a later hub has is passed over.
        later = b'{"name":"stream_resource","doc":{}}\n'
        documents = b'{"name":"start","doc":{"uid":"u"}}\n' + later + b'{"name":"stop","doc":{}}\n'
        self.server.answers["GET /api/v1/runs/r1/documents"] = (200, documents)
        self.server.answers["GET /api/v1/runs/r1"] = (200, {"state": "succeeded", "attempt": 1})
        self.assertEqual(list(Run("r1", self.hub).documents()), [("start", {"uid": "u"}), ("stop", {})])

    def test_documents_that_are_cut_off_at_any_byte_come_once_and_in_order(self):
        lines = [b'{"name":"start","doc":{"n":0}}\n', b"\n", '{"name":"event_page","doc":{"n":"\u00b5"}}\n'.encode(), b'{"name":"stop","doc":{}}\n']
        whole, documents = b"".join(lines), [line for line in lines if line != b"\n"]
        cut, state = [0], ["running"]

        def answer(asked):
            skip, at = int(asked[2]["skip"][0]), cut[0]
            cut[0] = len(whole)
            if at == len(whole):
                state[0] = "succeeded"
                return 200, b"".join(documents[skip:])
            return 200, whole[:at]

        self.server.answers["GET /api/v1/runs/r1/documents"] = answer
        self.server.answers["GET /api/v1/runs/r1"] = lambda _: (200, {"state": state[0], "attempt": 1})
        expected = [("start", {"n": 0}), ("event_page", {"n": "\u00b5"}), ("stop", {})]

        async def collected():
            return [one async for one in AsyncRun("r1", self.hub).documents()]

        with unittest.mock.patch("fernlab.followed_run.RETRY_S", 0), unittest.mock.patch("fernlab.runs.RETRY_S", 0):
            for at in range(len(whole)):
                for follow in (lambda: list(Run("r1", self.hub).documents()), lambda: asyncio.run(collected())):
                    cut[0], state[0] = at, "running"
                    self.assertEqual(follow(), expected, f"cut at byte {at}")

    def test_a_further_attempt_follows_and_one_that_is_named_is_followed_alone(self):
        stands = iter([])
        given = {1: b'{"name":"start","doc":{"n":1}}\n', 2: b'{"name":"start","doc":{"n":2}}\n{"name":"stop","doc":{}}\n'}
        self.server.answers["GET /api/v1/runs/r1/documents"] = lambda asked: (200, given[int(asked[2]["attempt"][0])])
        self.server.answers["GET /api/v1/runs/r1"] = lambda _: (200, next(stands))
        running, again, over = ({"state": s, "attempt": a} for s, a in (("running", 1), ("running", 2), ("succeeded", 2)))
        stands = iter([running, again, over])
        self.assertEqual([doc.get("n") for _, doc in Run("r1", self.hub).documents()], [1, 2, None])
        stands = iter([again])
        self.assertEqual([doc["n"] for _, doc in Run("r1", self.hub).documents(1)], [1])
        stands = iter([running, running])
        self.assertEqual([doc["n"] for _, doc in Run("r1", self.hub).documents(follow=False)], [1])

    def test_a_hub_that_stays_away_from_documents_is_told_after_the_patience_and_nonsense_at_once(self):
        self.server.answers["GET /api/v1/runs/r1"] = (200, {"state": "running", "attempt": 1})
        for body in (b"no json\n", b'{"name":1}\n', b"[]\n"):
            self.server.answers["GET /api/v1/runs/r1/documents"] = (200, body)
            self.assertEqual(self.failure(lambda: list(Run("r1", self.hub).documents())).code, "unexpected-answer")
        self.server.answers["GET /api/v1/runs/r1/documents"] = (404, {"code": "not-found", "detail": "no run"})
        self.assertEqual(self.failure(lambda: list(Run("r1", self.hub).documents())).code, "not-found")
        away = fernlab.Hub("http://127.0.0.1:9")
        self.assertEqual(self.failure(lambda: list(Run("r1", away).documents(patience=0))).code, "hub-unreachable")

    def test_what_a_program_does_in_between_is_none_of_its_patience_with_the_hub(self):
        documents = [b'{"name":"start","doc":{"n":1}}\n', b'{"name":"stop","doc":{"n":2}}\n']
        over = (200, documents[1])

        def answers():
            last = []
            self.server.answers["GET /api/v1/runs/r1/documents"] = lambda _: last.append(next(parts)) or last[-1]
            stands = {True: "succeeded", False: "running"}
            self.server.answers["GET /api/v1/runs/r1"] = lambda _: (200, {"state": stands[over in last], "attempt": 1})
            self.server.answers["GET /api/v1/runs/r1/events"] = lambda _: next(events)
            # Cut off, away for a moment, and there again.
            parts = iter([(200, documents[0] + b'{"na'), (503, b""), over])
            events = iter([(200, b"event: state\ndata: {}\n\n"), (503, b""), (200, b"event: end\ndata: {}\n\n")])

        at = [0.0]
        clock = types.SimpleNamespace(monotonic=lambda: at[0])

        def looked_at(name):
            at[0] += 61
            return name

        async def taken(items):
            return [looked_at(name) async for name, _ in items]

        def now(items):
            return [looked_at(name) for name, _ in items]

        run, later = Run("r1", self.hub), AsyncRun("r1", self.hub)
        for follow, expected in (
            (lambda: now(run.documents()), ["start", "stop"]),
            (lambda: asyncio.run(taken(later.documents())), ["start", "stop"]),
            (lambda: now(run.events()), ["state", "end"]),
            (lambda: asyncio.run(taken(later.events())), ["state", "end"]),
        ):
            soon = [unittest.mock.patch(f"fernlab.{module}.RETRY_S", 0.01) for module in ("runs", "followed_run")]
            with self.subTest(expected), soon[0], soon[1], unittest.mock.patch("fernlab.followed_run.time", clock):
                answers()
                self.assertEqual(follow(), expected)

    def test_all_that_the_route_takes_is_submitted(self):
        self.server.answers["POST /api/v1/runs"] = (201, {"id": "r1"})
        more = {"bench": "pi.b", "model": "ideal", "priority": 3, "note": "mine"}
        fernlab.submit("iv", "sweep", hub=self.hub, **more)
        asyncio.run(AsyncRun.submit("iv", "sweep", hub=self.hub, **more))
        sent = {"lab": "iv", "protocol": "sweep", "parameters": {}, **more}
        self.assertEqual(self.bodies("POST", "/runs"), [sent, sent])

    def test_runs_that_say_nothing_hold_nothing_up_and_are_left_at_once(self):
        left = []

        async def silent(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\n\r\nevent: state\ndata: 1\n\n")
            # What comes is the end.
            left.append(await reader.read())
            writer.close()

        async def work():
            server = await asyncio.start_server(silent, "127.0.0.1", 0)
            quiet = fernlab.Hub(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            following = [AsyncRun(f"r{number}", quiet).events() for number in range(20)]
            self.assertEqual([(await events.__anext__()).data for events in following], [1] * 20)
            waiting = [asyncio.ensure_future(events.__anext__()) for events in following]
            self.server.answers["GET /api/v1/runs/r1"] = (200, {"state": "running"})
            self.assertEqual(await AsyncRun("r1", self.hub).get(), {"state": "running"})
            for one in waiting:
                one.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
            while len(left) < 20:
                await asyncio.sleep(0.01)
            server.close()
            await server.wait_closed()

        with unittest.mock.patch("fernlab.hub.TIMEOUT_S", 3600):
            asyncio.run(work())
        self.assertEqual(left, [b""] * 20)

    def test_a_run_whose_submission_was_given_up_is_cancelled(self):
        asked, go = threading.Event(), threading.Event()

        def run(_):
            asked.set()
            go.wait()
            return 201, {"id": "r1"}

        self.server.answers["POST /api/v1/runs"] = run
        self.server.answers["POST /api/v1/runs/r1/cancel"] = (200, {})

        async def work():
            submitting = asyncio.ensure_future(AsyncRun.submit("iv", "sweep", hub=self.hub))
            while not asked.is_set():
                await asyncio.sleep(0.01)
            submitting.cancel()
            await asyncio.gather(submitting, return_exceptions=True)
            go.set()

        asyncio.run(work())
        self.assertEqual(self.bodies("POST", "/runs/r1/cancel"), [None])


if __name__ == "__main__":
    unittest.main()

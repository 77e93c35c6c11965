"""One client and much to ask at a time: threads, many requests in flight, and names that two programs serve."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dragonfly.core.caller import WINDOW, Caller
from dragonfly.core.constants import OP_CMD, OP_GET
from dragonfly.core.exceptions import DriplineAMQPConnectionError, DriplineValueError
from dragonfly.core.interface import Interface
from dragonfly.core.listener import Listener
from dragonfly.core.message import ReplyMessage
from dragonfly.testing import Mesh
from tests.mesh.raw import RawClient
from tests.mesh.test_clients import drop, wire_of
from tests.waiting import wait_until

TUTORIAL = Path(__file__).parents[2] / "examples" / "kv_store_tutorial.yaml"
KEYS = 8
MANY = "name: many\nendpoints:\n" + "".join(f"  - {{name: k{n}, module: kv_store_key}}\n" for n in range(KEYS))


def serve_numbers(mesh: Mesh) -> None:
    """Serve endpoints k0, k1, ... that hold their own number."""
    mesh.serve(MANY)
    for number in range(KEYS):
        mesh.client.set(f"k{number}", number)


def numbers_of(replies: Iterator[ReplyMessage]) -> list[str]:
    return [reply.payload["value_raw"] for reply in replies]


def test_eight_threads_share_one_interface_and_each_gets_its_own_answers(mesh: Mesh) -> None:
    serve_numbers(mesh)
    client = mesh.interface()

    def work(number: int) -> set[str]:
        return {client.get(f"k{number}").payload["value_raw"] for _ in range(200)}

    with ThreadPoolExecutor(KEYS) as pool:
        assert list(pool.map(work, range(KEYS))) == [{str(number)} for number in range(KEYS)]


def test_threads_that_ask_much_at_a_time_get_their_own_answers_too(mesh: Mesh) -> None:
    serve_numbers(mesh)
    client = mesh.interface(timeout=30.0)

    def work(number: int) -> set[str]:
        return set(numbers_of(client.request_many(f"k{number}" for _ in range(200))))

    with ThreadPoolExecutor(KEYS) as pool:
        assert list(pool.map(work, range(KEYS))) == [{str(number)} for number in range(KEYS)]


def test_more_requests_than_a_window_are_answered_in_their_order(mesh: Mesh) -> None:
    serve_numbers(mesh)
    client = mesh.interface(timeout=30.0)
    count = 2 * WINDOW + 500
    got = numbers_of(client.request_many(f"k{n * n % KEYS}" for n in range(count)))
    assert got == [str(n * n % KEYS) for n in range(count)]


def test_each_verb_and_each_failure_has_its_reply_in_its_place(mesh: Mesh) -> None:
    mesh.serve(TUTORIAL)
    requests = [
        "peaches",
        ("get", "peaches.log_interval"),
        ("set", "chips", 2),
        "plums",
        ("cmd", "peaches.ping"),
        ("run", "my_price_list"),
        ("send", "my_price_list", "*IDN?"),
        ("config", "peaches", "log_interval"),
        "peaches.nosuch",
        "chips",
    ]
    replies = list(mesh.interface().request_many(requests))
    assert [reply.retcode for reply in replies] == [0, 0, 0, 102, 0, 306, 0, 0, 304, 0]
    assert replies[0].payload == {"value_cal": 1.5, "value_raw": "0.75"}
    assert replies[3].payload == {"values": ["message not deliverable"]}
    assert replies[-1].payload == {"value_cal": 6.0, "value_raw": "2"}


def test_what_is_malformed_comes_in_its_turn_and_the_client_goes_on(mesh: Mesh) -> None:
    mesh.serve(TUTORIAL)
    client = mesh.interface()
    for item in [("fetch", "peaches"), ("set", "peaches", object()), "x" * 256]:
        replies = client.request_many(["peaches", item, ("set", "peaches", 99)])
        assert next(replies).retcode == 0
        with pytest.raises(DriplineValueError, match="cannot be requested"):
            next(replies)
    assert client.get("peaches").payload["value_raw"] == "0.75"


def test_one_request_that_nobody_answers_leaves_the_others_theirs(mesh: Mesh) -> None:
    mesh.serve(TUTORIAL)
    client = mesh.interface()
    with Listener(mesh.address, "requests", ["plums"], "swallow"):
        replies = list(client.request_many(["peaches", "plums", "chips"], timeout=1.0))
    assert [reply.retcode for reply in replies] == [0, 305, 0]
    assert replies[1].return_msg.startswith("no reply to get plums within 1 s: ")


def test_requests_that_lose_their_connection_say_so_and_the_rest_is_asked_on_the_next(mesh: Mesh) -> None:
    mesh.serve(TUTORIAL)
    client = mesh.interface()
    pending = client._caller._requester._pending

    def items() -> Iterator[str]:
        yield from ["peaches", *["plums"] * 100]
        for _ in range(100):
            assert swallow.next(5.0) is not None
        assert wait_until(lambda: len(pending) == 100)  # the first has its reply
        drop(client)
        yield from ["peaches", "chips"]

    with Listener(mesh.address, "requests", ["plums"], "swallow") as swallow:
        replies = list(client.request_many(items()))
    assert [reply.retcode for reply in replies] == [0, *[101] * 100, 0, 0]
    assert "was lost" in replies[1].return_msg


def test_where_no_broker_is_each_reply_says_so(unused_address: str) -> None:
    with Interface(unused_address, timeout=3.0) as client:
        replies = list(client.request_many(["peaches"] * 3))
    assert [reply.retcode for reply in replies] == [101] * 3
    assert unused_address in replies[0].return_msg


def test_a_generator_that_is_closed_leaves_nothing_behind(mesh: Mesh) -> None:
    mesh.serve(TUTORIAL)
    client = mesh.interface()
    pending = client._caller._requester._pending
    with Listener(mesh.address, "requests", ["plums"], "swallow"):
        replies = client.request_many(["peaches", *["plums"] * 50])
        assert next(replies).retcode == 0
        replies.close()  # type: ignore[attr-defined]
        assert pending == {}
    assert client.get("peaches").retcode == 0
    assert pending == {}


def test_an_interface_is_a_context_and_closed_behind_it(mesh: Mesh) -> None:
    mesh.serve(TUTORIAL)
    with Interface(mesh.address) as client:
        assert client.get("peaches").retcode == 0
    with pytest.raises(DriplineAMQPConnectionError, match="was closed"):
        client.get("peaches")
    assert [reply.retcode for reply in client.request_many(["peaches"])] == [101]


def test_threads_of_a_service_ask_on_the_service_s_own_connection(mesh: Mesh) -> None:
    wire = wire_of(mesh.serve(MANY))
    caller = Caller(wire.connection, wire.requester, 10.0)
    for number in range(KEYS):
        mesh.client.set(f"k{number}", number)

    def work(number: int) -> set[str]:
        replies = (caller.request(f"k{number}", OP_GET, {"values": []}) for _ in range(50))
        return set(numbers_of(replies))

    with ThreadPoolExecutor(KEYS) as pool:
        assert list(pool.map(work, range(KEYS))) == [{str(number)} for number in range(KEYS)]


def answered_by(raws: list[RawClient], key: str, ask: Callable[[], object]) -> None:
    """Have raw programs, all bound to a key, answer what is asked meanwhile."""
    queues = [raw.listen(f"twin{number}-{key}", "requests", key) for number, raw in enumerate(raws)]
    asking = threading.Thread(target=ask)
    asking.start()
    for number, (raw, queue) in enumerate(zip(raws, queues, strict=True)):
        seen = raw.next(queue)
        assert seen is not None
        sender = {"service_name": f"twin{number}", "username": "lab", "hostname": f"pc{number}"}
        reply = {"msgtype": 2, "retcode": 0, "payload": {"values": [number]}, "sender_info": sender}
        properties = raw.properties(correlation_id=seen.properties.correlation_id)
        raw.publish(seen.properties.reply_to, json.dumps(reply).encode(), properties)
    asking.join(5)


def test_a_client_says_that_it_got_two_replies_to_one_request(mesh: Mesh, caplog: pytest.LogCaptureFixture) -> None:
    client = mesh.interface()
    with RawClient(mesh.address) as one, RawClient(mesh.address) as two, RawClient(mesh.address) as three:
        answered_by([one, two, three], "peaches", lambda: client.get("peaches"))
        assert wait_until(lambda: any("answered twice" in text for text in caplog.messages))
        answered_by([one], "after", lambda: client.get("after"))  # by now all three have come
    told = [text for text in caplog.messages if "answered twice" in text]
    assert len(told) == 1
    assert told[0].startswith("peaches was answered twice, by ")
    assert told[0].count("(lab on pc") == 2


def test_two_replies_to_a_broadcast_are_nothing_special(mesh: Mesh, caplog: pytest.LogCaptureFixture) -> None:
    client = mesh.interface()
    got: list[ReplyMessage] = []
    with RawClient(mesh.address) as one, RawClient(mesh.address) as two:
        key = "broadcast.ping"
        answered_by([one, two], key, lambda: got.extend(client.request_all(key, OP_CMD, {"values": []})))
        answered_by([one], "after", lambda: client.get("after"))
    assert sorted(reply.service_name for reply in got) == ["twin0", "twin1"]
    assert caplog.messages == []

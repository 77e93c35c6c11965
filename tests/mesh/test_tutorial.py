"""The tutorial as one transcript: each command up to its deprecated half, and what it promises."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path

import pika
import pytest

from dragonfly.testing.plugin import RunningBroker
from tests.mesh.program import STAMP, Ended, Program, dragonfly, serve

TUTORIAL = str(Path(__file__).parents[2] / "examples" / "kv_store_tutorial.yaml")
SILENTLY = "return message: operation completed silently"

HEAD = rf"{STAMP}\[Level 35\] dragonfly\.subcommands\.message_monitor\(\d+\) -> \n"
REQUEST_KEYS = ["timestamp", "sender_info", "payload", "msgop"]
REPLY_KEYS = ["timestamp", "sender_info", "retcode", "return_msg", "payload"]
SENDER_KEYS = ["username", "exe", "package", "hostname", "version", "commit"]

# Command, what it prints, exit status, what the log says on stderr.
ANSWERS = [
    ("get peaches", "peaches(ret:0): {'value_cal': 1.5, 'value_raw': '0.75'}", 0, ""),
    ("get chips", "chips(ret:0): {'value_cal': 5.25, 'value_raw': '1.75'}", 0, ""),
    ("get waffles", "waffles(ret:0): {'value_cal': 4.0, 'value_raw': '4.0'}", 0, ""),
    ("get peaches_status", "peaches_status(ret:0): {'value_cal': 'on', 'value_raw': 'CLOSE'}", 0, ""),
    ("set chips 1.79", "chips->1.79(ret:0): {'value_cal': 5.37, 'value_raw': '1.79'}", 0, ""),
    ("get chips", "chips(ret:0): {'value_cal': 5.37, 'value_raw': '1.79'}", 0, ""),
    ("set waffles 4.5", "waffles->4.5(ret:0): {'values': [None]}", 0, SILENTLY),
    ("set peaches 0.45", "peaches->0.45(ret:0): {'value_cal': 0.9, 'value_raw': '0.45'}", 0, ""),
    ("set peaches -1e-3", "peaches->-1e-3(ret:0): {'value_cal': -0.002, 'value_raw': '-0.001'}", 0, ""),
    ("set peaches_status ON", "peaches_status->ON(ret:0): {'values': [None]}", 0, SILENTLY),
    ("get peaches_status", "peaches_status(ret:0): {'value_cal': 'off', 'value_raw': 'OPEN'}", 0, ""),
    (
        "set peaches_status ajar",
        "peaches_status->ajar(ret:304): {'values': [None]}",
        1,
        "return message: peaches_status: 'ajar' is not accepted; accepted are 1, 0, 'on', 'off'",
    ),
    ("get plums", "plums(ret:102): {'values': ['message not deliverable']}", 1, ""),
    ("get peaches.log_interval", "peaches.log_interval(ret:0): {'values': [30]}", 0, ""),
    ("get peaches.log-interval", "peaches.log-interval(ret:0): {'values': [30]}", 0, ""),
    ("get peaches log_interval", "peaches->log_interval(ret:0): {'values': [30]}", 0, ""),
    ("cmd peaches.ping", "peaches.ping(ret:0): {'values': [None]}", 0, SILENTLY),
    ("cmd peaches ping", "peaches->ping(ret:0): {'values': [None]}", 0, SILENTLY),
    ("send my_price_list hello", "my_price_list->hello(ret:0): {'values': [None]}", 0, SILENTLY),
    (
        "run my_price_list",
        "my_price_list(ret:306): {'values': [None]}",
        1,
        "return message: requested method not supported by this endpoint",
    ),
    ("config peaches log_interval", "peaches->log_interval(ret:0): {'values': [30]}", 0, "config is deprecated"),
    (
        "config peaches log_interval 10",
        "peaches->log_interval->10(ret:0): {'values': [None]}",
        0,
        "config is deprecated: use dragonfly set peaches.log_interval 10",
    ),
    ("get peaches.log_interval", "peaches.log_interval(ret:0): {'values': [10.0]}", 0, ""),
    ("cmd broadcast.ping", "broadcast.ping(ret:0): [my_store]-> {'values': [None]}", 0, SILENTLY),
]


def forget_exchanges(address: str) -> None:
    """Make the broker one on which no program of a mesh has ever run."""
    host, port = address.rsplit(":", 1)
    with pika.BlockingConnection(pika.ConnectionParameters(host, int(port))) as connection:
        channel = connection.channel()
        channel.exchange_delete("requests")
        channel.exchange_delete("alerts")


def blocks(stdout: str) -> list[tuple[str, list[tuple[str, object]]]]:
    """Return routing key and fields, in their order, of each message that a monitor printed."""
    found = []
    for text in re.split(HEAD, stdout)[1:]:
        head, _, body = text.partition("\n")
        match = re.fullmatch(r"dripline\.core\.Service \[(.*)\]     \(From App \[routing_key\]\)", head)
        assert match, head
        found.append((match[1], json.loads(body, object_pairs_hook=list)))
    return found


def test_the_tutorial_from_a_fresh_broker_to_the_last_answer(broker: RunningBroker) -> None:
    address = broker.address
    for words in (("-h",), ("monitor", "-h"), ("serve", "-h"), ("get", "-h")):
        assert dragonfly(address, *words).status == 0
    forget_exchanges(address)
    with Program(address, "monitor", "-e", "requests", "-v") as monitor:
        monitor.wait_for("stderr", "starting to monitor")
        with serve(address, TUTORIAL) as service:
            first = dragonfly(address, "get", "peaches")
            assert (first.status, first.stdout) == (0, ANSWERS[0][1] + "\n")
            assert first.stderr == ""
            monitor.wait_for("stdout", r'"value_raw": "0.75"\n    }\n}\n')
            ended = monitor.end()
            check_monitor(ended)
            check_answers(address)
            stopped = service.end(signal.SIGTERM)
        assert (stopped.status, stopped.stdout) == (0, "")
        assert dragonfly(address, "get", "peaches").stdout.startswith("peaches(ret:102)")


def check_monitor(ended: Ended) -> None:
    assert ended.status == 0
    assert "received <Ctrl+c>... exiting" in ended.stderr
    (request_key, request), (reply_key, reply) = blocks(ended.stdout)
    assert request_key == "peaches"
    assert re.fullmatch(r"request_reply[0-9a-f-]{36}", reply_key)
    assert [key for key, _ in request] == REQUEST_KEYS
    assert [key for key, _ in reply] == REPLY_KEYS
    assert [key for key, _ in dict(request)["sender_info"]] == SENDER_KEYS
    assert [key for key, _ in dict(reply)["sender_info"]] == [*SENDER_KEYS, "service_name"]
    assert (dict(request)["msgop"], dict(request)["payload"]) == (1, [("values", [])])
    assert dict(reply)["payload"] == [("value_cal", 1.5), ("value_raw", "0.75")]
    assert (dict(reply)["retcode"], dict(reply)["return_msg"]) == (0, "")


def check_answers(address: str) -> None:
    for command, line, status, log in ANSWERS:
        ended = dragonfly(address, *command.split())
        assert (ended.stdout, ended.status) == (line + "\n", status), (command, ended.stderr)
        assert (log in ended.stderr) if log else ended.stderr == "", (command, ended.stderr)


def test_a_set_shows_one_alert_in_a_monitor_of_payloads(broker: RunningBroker) -> None:
    address = broker.address
    with (
        Program(address, "monitor", "-po", "-v", "-k", "sensor_value.peaches", "sensor_value.waffles") as monitor,
        serve(address, TUTORIAL),
    ):
        monitor.wait_for("stderr", "starting to monitor")
        dragonfly(address, "set", "chips", "7")  # a key that is not listened to
        dragonfly(address, "set", "peaches", "0.64")
        dragonfly(address, "set", "waffles", "4.5")
        monitor.wait_for("stdout", r'"value_raw": "4.5"')
        ended = monitor.end()
    parts = re.split(HEAD, ended.stdout)
    assert parts[1:] == [
        "dripline.core.Service [sensor_value.peaches]     (From App [routing_key])\n"
        '{\n  "value_cal": 1.28,\n  "value_raw": "0.64"\n}\n',
        "dripline.core.Service [sensor_value.waffles]     (From App [routing_key])\n"
        '{\n  "value_cal": 4.5,\n  "value_raw": "4.5"\n}\n',
    ]


def test_nobody_there_is_told_at_once_and_hidden_by_a_monitor_until_the_timeout(broker: RunningBroker) -> None:
    address = broker.address
    told = dragonfly(address, "get", "plums")
    assert (told.status, told.stdout) == (1, "plums(ret:102): {'values': ['message not deliverable']}\n")
    assert told.seconds < 2.0
    with Program(address, "monitor", "-e", "requests", "-v") as monitor:
        monitor.wait_for("stderr", "starting to monitor")
        hidden = dragonfly(address, "get", "plums", "--timeout", "1")
        assert (hidden.status, hidden.stdout) == (4, "")
        assert hidden.stderr.count("\n") == 1
        assert "no reply to get plums within 1 s" in hidden.stderr
        assert "a monitor of the requests exchange hides" in hidden.stderr
        assert 1.0 <= hidden.seconds < 4.0
        assert monitor.end().status == 0


@pytest.mark.parametrize("verb", ["get peaches", "monitor", "cmd broadcast.ping"])
def test_without_a_broker_a_client_says_so_in_one_line(verb: str, unused_address: str) -> None:
    ended = dragonfly(unused_address, *verb.split())
    assert (ended.status, ended.stdout) == (3, "")
    assert ended.stderr.count("\n") == 1
    assert unused_address in ended.stderr
    assert "-b" in ended.stderr
    assert ended.seconds < 2.0

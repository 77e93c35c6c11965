"""The sets of permissions that the page on security gives: its commands on a real server, and what each user may do."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pika
import pika.exceptions
import pytest

from dragonfly.core import Interface, exceptions
from dragonfly.testing import RabbitMQNode
from tests.mesh.program import Program, dragonfly, serve

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanations" / "security.rst"
TUTORIAL = ROOT / "examples" / "kv_store_tutorial.yaml"
USERS = ("my_store", "alice", "display")

pytestmark = pytest.mark.rabbitmq


def commands() -> list[list[str]]:
    """Return the words after `rabbitmqctl` of each command of the page."""
    text = PAGE.read_text(encoding="utf-8").replace("\\\n", " ")
    return [shlex.split(line) for line in re.findall(r"\$ sudo rabbitmqctl (.*)", text)]


class Users(NamedTuple):
    """A server whose users are those of the page."""

    node: RabbitMQNode

    def url(self, user: str) -> str:
        return f"amqp://{user}:secret@{self.node.address}/"


@pytest.fixture
def users(node: RabbitMQNode) -> Iterator[Users]:
    for words in commands():
        node.ctl(*words, *(["secret"] if words[0] == "add_user" else []))
    yield Users(node)
    for user in USERS:
        node.ctl("delete_user", user)


@pytest.fixture
def store(users: Users) -> Iterator[Program]:
    with serve(users.url("my_store"), str(TUTORIAL)) as program:
        yield program


@pytest.fixture
def heater(tmp_path: Path) -> Path:
    """Give a config file of the service's name with an endpoint that is not one of its user's."""
    config = tmp_path / "heater.yaml"
    config.write_text("name: my_store\nendpoints:\n- name: heater\n  module: kv_store_key\n  initial_value: 1\n")
    return config


def refusal(url: str, *words: str) -> tuple[int, str]:
    """Return the status and the sentence of a command that prints nothing but that."""
    ended = dragonfly(url, *words)
    assert (ended.stdout, ended.stderr.count("\n")) == ("", 1), ended
    return ended.status, ended.stderr.partition(" -> ")[2].strip()


def publish(url: str, exchange: str, key: str) -> str:
    """Publish as no program of ours would; return why the broker closed the channel."""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    try:
        channel = connection.channel()
        channel.confirm_delivery()
        with pytest.raises(pika.exceptions.ChannelClosedByBroker) as caught:
            channel.basic_publish(exchange, key, b"{}")
        return str(caught.value.reply_text)
    finally:
        connection.close()


def test_the_page_has_commands_for_each_user() -> None:
    assert [words[1] for words in commands() if words[0] == "add_user"] == list(USERS)


def test_an_operator_asks_sets_and_listens(users: Users, store: Program) -> None:
    url = users.url("alice")
    assert dragonfly(url, "get", "peaches").stdout == "peaches(ret:0): {'value_cal': 1.5, 'value_raw': '0.75'}\n"
    with Program(url, "monitor", "-e", "alerts", "-v") as monitor:
        monitor.wait_for("stderr", "starting to monitor")
        assert dragonfly(url, "set", "waffles", "4.5").status == 0
        monitor.wait_for("stdout", "sensor_value.waffles")
    assert "my_store" in dragonfly(url, "list").stdout


def test_an_operator_invents_no_value_and_takes_no_name(users: Users, heater: Path) -> None:
    url = users.url("alice")
    for exchange, key in (("alerts", "sensor_value.peaches"), ("requests", "request_reply0-1")):
        assert f"exchange '{exchange}' in vhost '/' refused for user 'alice'" in publish(url, exchange, key)
    status, text = refusal(url, "serve", "-c", str(heater))
    assert status == 6 and "access to queue 'my_store'" in text and "refused for user 'alice'" in text
    status, text = refusal(url, "monitor", "-e", "requests")
    assert status == 3 and "topic '#' in exchange 'requests'" in text


def test_a_display_reads_alerts_and_asks_nothing(users: Users, store: Program) -> None:
    url = users.url("display")
    with Program(url, "monitor", "-e", "alerts", "-v") as monitor:
        monitor.wait_for("stderr", "starting to monitor")
        assert dragonfly(users.url("alice"), "set", "waffles", "4.5").status == 0
        monitor.wait_for("stdout", "sensor_value.waffles")
    for words in (["get", "peaches"], ["set", "peaches", "1"], ["cmd", "peaches.ping"]):
        status, text = refusal(url, *words)
        assert status == 3 and text.startswith(f"broker {users.node.address} refuses us: ACCESS_REFUSED"), text
        assert "access to queue 'request_reply" in text
    assert dragonfly(users.url("alice"), "get", "chips").status == 0  # nobody else has noticed


def test_a_service_has_its_own_names_and_no_others(users: Users, heater: Path) -> None:
    status, text = refusal(users.url("my_store"), "serve", "-c", str(heater))
    assert status == 6 and "topic 'heater.ping'" in text and "refused for user 'my_store'" in text
    with (
        Interface(users.url("my_store"), timeout=5.0) as client,
        pytest.raises(exceptions.DriplineAMQPError, match="topic 'valve' in exchange 'requests'"),
    ):
        client.set("valve", 1)

"""What a service logs, told to the mesh and to Slack: it never stops, delays or repeats the service."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dragonfly.cli import main
from dragonfly.core.codec import decode
from dragonfly.core.constants import ALERTS
from dragonfly.core.listener import Listener
from dragonfly.status_log_handlers import Source, beside_the_terminal, slack
from dragonfly.testing import Mesh
from tests.mesh.program import dragonfly, serve
from tests.waiting import wait_until
from tests.web_server import Answer, WebServer

STORE = """
name: my_store
module: Service
status_alerts: {status_alerts}
endpoints:
  - name: peaches
    module: Broken
    module_path: {module_path}
"""
CONSUMER = """
name: consumer
module: Failing
module_path: {module_path}
status_alerts: true
keys: status_message.#
endpoints:
  - name: peaches
    module: Broken
    module_path: {module_path}
"""
DEVICES = """
from dragonfly.core import AlertConsumer, Endpoint


class Broken(Endpoint):
    def on_get(self):
        raise ValueError("it is broken")


class Failing(AlertConsumer):
    def this_consume(self, message, method):
        raise ValueError("cannot be used")
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Give what writes a config file, with the classes that it needs beside it."""

    def write(text: str, **keys: str) -> Path:
        (tmp_path / "devices.py").write_text(DEVICES, encoding="utf-8")
        config = tmp_path / "config.yaml"
        config.write_text(text.format(module_path="devices.py", **keys), encoding="utf-8")
        return config

    return write


@pytest.fixture
def heard(mesh: Mesh) -> Iterator[Listener]:
    with Listener(mesh.address, ALERTS, ["status_message.#"], "test") as listener:
        yield listener


def next_text(listener: Listener, timeout: float = 5.0) -> tuple[str, Any] | None:
    delivery = listener.next(timeout)
    return (
        None if delivery is None else (delivery.routing_key, decode(delivery.body, delivery.content_encoding).payload)
    )


def test_what_a_service_warns_of_is_an_alert(heard: Listener, mesh: Mesh, write: Callable[..., Path]) -> None:
    with serve(mesh.address, str(write(STORE, status_alerts="true"))):
        assert dragonfly(mesh.address, "get", "peaches").status == 1
        key, text = next_text(heard) or ("", "")
        assert key == "status_message.error.my_store"
        assert text.startswith("peaches failed: ")
        assert next_text(heard, 0.3) is None


def test_it_is_off_by_default(heard: Listener, mesh: Mesh, write: Callable[..., Path]) -> None:
    with serve(mesh.address, str(write(STORE.replace("status_alerts: {status_alerts}\n", "")))):
        assert dragonfly(mesh.address, "get", "peaches").status == 1
        assert next_text(heard, 0.3) is None


def test_a_consumer_that_fails_on_each_of_them_comes_to_an_end(
    heard: Listener, mesh: Mesh, write: Callable[..., Path]
) -> None:
    with serve(mesh.address, str(write(CONSUMER))) as program:
        assert dragonfly(mesh.address, "get", "peaches").status == 1
        assert (next_text(heard) or ("", ""))[0] == "status_message.error.consumer"
        program.wait_for("stderr", "consumer failed on the alert status_message.error.consumer: ValueError")
        assert next_text(heard, 0.3) is None
        assert program.stderr.count("consumer failed on the alert") == 1


def test_a_thousand_records_delay_nobody(heard: Listener, mesh: Mesh) -> None:
    service = mesh.serve("name: my_store\n")
    logger = logging.getLogger("dragonfly.test")
    with beside_the_terminal(Source(service.name, service.send_alert, status_alerts=True)):
        began = time.monotonic()
        for number in range(1_000):
            logger.warning("record %d", number)
        assert time.monotonic() - began < 2.0
    texts = [next_text(heard) for _ in range(1_000)]
    assert texts == [("status_message.warning.my_store", f"record {number}") for number in range(1_000)]


@pytest.fixture
def posts(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    """Give Slack on loopback, and a token for it."""
    pytest.importorskip("slack_sdk", reason="slack_sdk is not installed")
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DRAGONFLY_SLACK_TOKEN", "xoxb-secret")
    with WebServer(Answer(body=b'{"ok": true}')) as server:
        monkeypatch.setattr(slack, "BASE_URL", server.url)
        yield server


@pytest.mark.parametrize(("options", "count"), [([], 1), (["--no-slack"], 0)])
def test_a_service_that_cannot_go_on_tells_slack(
    options: list[str],
    count: int,
    posts: WebServer,
    mesh: Mesh,
    write: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    mesh.serve("name: my_store\n")
    config = write("name: my_store\nslack_channel: '#alarms'\n")
    assert main(["serve", "-c", str(config), "-b", mesh.address, *options]) == 6
    assert "my_store is already served by" in capsys.readouterr().err
    assert len(posts.asked) == count
    assert all("my_store is already served by" in asked.form["text"] for asked in posts.asked)


@pytest.mark.parametrize(("options", "count"), [([], 1), (["--no-slack"], 0)])
def test_a_watchdog_tells_slack_what_is_missing(options: list[str], count: int, posts: WebServer, mesh: Mesh) -> None:
    words = [
        "watchdog",
        "-b",
        mesh.address,
        "--once",
        "--max-age",
        "0.1",
        "-k",
        "peaches",
        "--slack-channel",
        "#alarms",
    ]
    assert main([*words, *options]) == 1
    assert [asked.form["channel"] for asked in posts.asked] == ["#alarms"] * count


def test_clients_never_post(posts: WebServer, mesh: Mesh) -> None:
    assert main(["get", "peaches", "-b", mesh.address]) == 1
    assert main(["get", "peaches", "-b", "127.0.0.1:1"]) == 3
    assert not wait_until(lambda: bool(posts.asked), 0.1)

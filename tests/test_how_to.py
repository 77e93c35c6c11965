"""The pages that say how something is done, and what a service tells about itself: true of the program beside them."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dragonfly.broker import Broker
from dragonfly.testing import Mesh, RabbitMQNode
from dragonfly.testing.clock import ManualClock
from dragonfly.testing.plugin import RunningBroker
from tests.transcript import PATIENCE, Session, Terminal, blocks, environment, masked
from tests.waiting import wait_until

AnyBroker = Broker | RabbitMQNode | RunningBroker

ROOT = Path(__file__).resolve().parent.parent
HOW_TO = ROOT / "docs" / "how_to"
STATISTICS = ROOT / "docs" / "reference" / "statistics.rst"
EXAMPLES = ROOT / "examples"
# What two runs of the audit page have not in common.
WHO_AND_WHEN = re.compile(r'"(time|user|host)": "[^"]*"')


def block(page: str, language: str, number: int = 0) -> str:
    """Return the text of a page's block of a language, with a line end."""
    found = ["\n".join(each.lines) for each in blocks(HOW_TO / f"{page}.rst") if each.language == language]
    return found[number] + "\n"


def printed_by_python(code: str, address: str, directory: Path = ROOT) -> str:
    """Run a page's Python and return what it prints; `localhost` in it is the broker of the test."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code.replace('"localhost"', repr(address))],
        env=environment(address),
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("page", ["log_values", "lock_endpoints", "set_up_and_shut_down"])
def test_the_commands_print_what_the_page_shows(page: str, broker: AnyBroker) -> None:
    Session(broker.address).follow(HOW_TO / f"{page}.rst")


def test_a_lock_is_used_from_python_as_the_page_says(broker: AnyBroker, mesh: Mesh) -> None:
    mesh.serve(EXAMPLES / "lockout.yaml")
    assert printed_by_python(block("lock_endpoints", "python"), broker.address) == ""
    assert mesh.client.get("magnet_current").payload == {"value_raw": "7"}
    assert mesh.client.cmd("magnet_supply", "lock_status").payload["locked"] is False


def test_what_a_stop_calls_is_logged_as_the_page_shows(broker: AnyBroker) -> None:
    words = ["serve", "-c", "examples/setup_calls.yaml", "-v", "-b", broker.address]
    terminal = Terminal(words, environment(broker.address), "furnace_temperature is called")
    shown = block("set_up_and_shut_down", "none").splitlines()
    assert "\n".join(masked(shown)) in "\n".join(masked(terminal.close()))


def test_alerts_are_stored_as_the_page_says(broker: AnyBroker, mesh: Mesh, tmp_path: Path) -> None:
    mesh.serve(EXAMPLES / "kv_store_tutorial.yaml")
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    code, rows = block("consume_alerts", "python"), block("consume_alerts", "none")

    def is_stored() -> bool:
        return printed_by_python(code, broker.address, tmp_path) == rows

    def look() -> None:
        assert wait_until(is_stored, PATIENCE)

    Session(broker.address, tmp_path).follow(HOW_TO / "consume_alerts.rst", look)


def serve_with_a_queue(address: str, directory: Path, meanwhile: Callable[[], None]) -> None:
    """Serve the example with the page's line for a durable queue in it, and do something while it runs."""
    shutil.copytree(EXAMPLES, directory, dirs_exist_ok=True)
    file, line = directory / "alert_consumer.yaml", block("consume_alerts", "yaml")
    example = file.read_text(encoding="utf-8")
    assert f"# {line}" in example
    file.write_text(example.replace(f"# {line}", line), encoding="utf-8")
    words = ["serve", "-c", "alert_consumer.yaml", "-v", "-b", address]
    terminal = Terminal(words, environment(address), "event loop", directory)
    try:
        meanwhile()
    finally:
        terminal.close()


@pytest.mark.rabbitmq
def test_alerts_wait_in_a_durable_queue_as_the_page_says(broker: AnyBroker, mesh: Mesh, tmp_path: Path) -> None:
    mesh.serve(EXAMPLES / "kv_store_tutorial.yaml")
    serve_with_a_queue(broker.address, tmp_path, lambda: None)
    mesh.client.set("chips", 1.79)
    mesh.client.set("waffles", 4.5)
    code, rows = block("consume_alerts", "python"), block("consume_alerts", "none")

    def look() -> None:
        assert wait_until(lambda: printed_by_python(code, broker.address, tmp_path) == rows, PATIENCE)

    serve_with_a_queue(broker.address, tmp_path, look)
    assert isinstance(broker, RabbitMQNode)
    broker.ctl("delete_queue", "sensor_table_alerts")


def test_the_embedded_broker_refuses_a_durable_queue_as_the_page_says(tmp_path: Path) -> None:
    says = "cannot have its durable queue sensor_table_alerts"
    with Broker() as broker, pytest.raises(AssertionError, match=says):
        serve_with_a_queue(broker.address, tmp_path, lambda: None)


def test_the_audit_file_holds_what_the_page_shows(broker: AnyBroker, tmp_path: Path) -> None:
    (tmp_path / "audited_store.yaml").write_text(block("audit", "yaml"), encoding="utf-8")
    Session(broker.address, tmp_path).follow(HOW_TO / "audit.rst")
    written = (tmp_path / "audit.jsonl").read_text(encoding="utf-8").splitlines()
    shown = block("audit", "json").splitlines()
    assert [json.loads(line).keys() for line in written] == [json.loads(line).keys() for line in shown]
    assert [WHO_AND_WHEN.sub("", line) for line in masked(written)] == [
        WHO_AND_WHEN.sub("", line) for line in masked(shown)
    ]


@pytest.fixture
def guarded_oven(mesh: Mesh, clock: ManualClock, tmp_path: Path) -> Mesh:
    """Give a mesh with the oven, and the service beside it that the page about own devices shows."""
    (guard,) = [
        code
        for number in range(sum(each.language == "python" for each in blocks(HOW_TO / "own_device.rst")))
        if "class OvenGuard" in (code := block("own_device", "python", number))
    ]
    (tmp_path / "oven_guard.py").write_text(guard, encoding="utf-8")
    (tmp_path / "guard.yaml").write_text(block("own_device", "yaml"), encoding="utf-8")
    mesh.serve(EXAMPLES / "own_device.yaml")
    mesh.serve(tmp_path / "guard.yaml", clock=clock)
    return mesh


def test_the_guard_cools_an_oven_that_is_too_hot(guarded_oven: Mesh, clock: ManualClock) -> None:
    oven = guarded_oven.client
    oven.set("oven_temperature", 90)
    clock.advance(10)
    assert oven.get("oven_temperature").payload["value_raw"] == "+90.00"
    oven.set("oven_temperature", 110)
    clock.advance(10)
    assert oven.get("oven_temperature").payload["value_raw"] == "+20.00"


def test_the_guard_stops_and_changes_its_interval_over_the_mesh(guarded_oven: Mesh, clock: ManualClock) -> None:
    oven = guarded_oven.client
    oven.set("oven_guard.schedule_status", "off")
    oven.set("oven_temperature", 110)
    clock.advance(100)
    assert oven.get("oven_temperature").payload["value_raw"] == "+110.00"
    oven.set("oven_guard.schedule_interval", 60)
    oven.set("oven_guard.schedule_status", "on")
    clock.advance(0)
    assert oven.get("oven_temperature").payload["value_raw"] == "+20.00"


def test_the_guard_cools_in_condition_9_alone(guarded_oven: Mesh) -> None:
    oven = guarded_oven.client
    oven.set("oven_temperature", 90)
    oven.cmd("guard_service", "set_condition", 8)
    assert oven.get("oven_temperature").payload["value_raw"] == "+90.00"
    oven.cmd("guard_service", "set_condition", 9)
    assert oven.get("oven_temperature").payload["value_raw"] == "+20.00"


def listed_fields(heading: str) -> set[str]:
    """Return the fields in the table below a heading of the page about statistics."""
    _, *sections = re.split(r"^(.+)\n-{3,}\n", STATISTICS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    rows = re.findall(r"^   \* - (``.+``)$", sections[sections.index(heading) + 1], re.MULTILINE)
    return {name for row in rows for name in re.findall(r"``(\w+)``", row)}


def test_all_that_a_service_tells_about_itself_is_listed(mesh: Mesh) -> None:
    mesh.serve(EXAMPLES / "kv_store.yaml")
    told = {
        "Statistics": mesh.client.get("my_store.statistics").payload,
        "Description": mesh.client.cmd("peaches", "describe").payload,
        "Lock": mesh.client.cmd("peaches", "lock_status").payload,
    }
    assert {heading: listed_fields(heading) for heading in told} == {
        heading: set(fields) for heading, fields in told.items()
    }

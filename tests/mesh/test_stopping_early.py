"""A stop that comes while a service is still starting, and classes that do not stop well."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from dragonfly.broker import Broker
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import ServiceStartError
from dragonfly.core.outage import Outage
from dragonfly.core.service import Service
from dragonfly.testing import Mesh
from tests.mesh.program import Program
from tests.waiting import wait_until


class Valve(Endpoint):
    """Writes down what it is set to; some of what it does takes as long as the test wants."""

    def __init__(self, slow: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._slow = slow
        self._entered, self._go_on = threading.Event(), threading.Event()
        self._done: list[Any] = []

    def start(self) -> None:
        self._do("start")

    def on_set(self, value: Any) -> None:
        self._do(value)

    def stop(self) -> None:
        self._do("stop")

    def _do(self, what: Any) -> None:
        if what == self._slow:
            self._entered.set()
            assert self._go_on.wait(10)
        self._done.append(what)


def service_of(mesh: Mesh, *valves: Valve, **keys: Any) -> Service:
    service = Service(name="lab", broker=mesh.address, **keys)
    for valve in valves:
        service.add_endpoint(valve)
    return service


def sets(*pairs: tuple[str, Any]) -> list[dict[str, Any]]:
    return [{"target": name, "method": "set", "args": value} for name, value in pairs]


@pytest.mark.parametrize("from_another_thread", [True, False])
def test_a_stop_during_the_setup_calls_begins_none_of_the_others(mesh: Mesh, from_another_thread: bool) -> None:
    slow, other = Valve("open", name="slow"), Valve(name="other")
    calls = sets(("slow", "open"), ("other", "open"))
    service = service_of(mesh, slow, other, setup_calls=calls, shutdown_calls=sets(("other", "shut")), stop_timeout=5)
    running = threading.Thread(target=service.run)
    running.start()
    assert slow._entered.wait(10)
    service.request_stop()
    stopping = threading.Thread(target=service.stop)
    if from_another_thread:
        stopping.start()
    slow._go_on.set()
    running.join(15)
    assert not running.is_alive()
    service.stop()
    if from_another_thread:
        stopping.join(15)
    assert slow._done == ["start", "open", "stop"]
    assert other._done == ["start", "shut", "stop"]


def test_a_stop_while_instruments_start_starts_no_further_one_and_stops_those_that_were(mesh: Mesh) -> None:
    slow, other = Valve("start", name="slow"), Valve(name="other")
    service = service_of(mesh, slow, other)
    starting = threading.Thread(target=service.start)
    starting.start()
    assert slow._entered.wait(10)
    service.request_stop()
    slow._go_on.set()
    starting.join(10)
    service.stop()
    assert (slow._done, other._done) == (["start", "stop"], [])
    assert mesh.client.cmd("lab", "ping").retcode == 102


OVENS = """
from pathlib import Path
from threading import Event

from dragonfly.core.endpoint import Endpoint


class Oven(Endpoint):
    def __init__(self, marks, hangs=False, **kwargs):
        super().__init__(**kwargs)
        self._marks, self._hangs = Path(marks), hangs

    def start(self):
        self._mark("started")
        if self._hangs:
            Event().wait()

    def stop(self):
        self._mark("stopped")

    def _mark(self, what):
        with self._marks.open("a") as file:
            print(self.name, what, file=file)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_does_not_wait_for_an_instrument_that_never_starts(
    mesh: Mesh, tmp_path: Path, number: signal.Signals
) -> None:
    classes, config, marks = tmp_path / "ovens.py", tmp_path / "lab.yaml", tmp_path / "marks"
    classes.write_text(OVENS)
    oven = f"module: Oven, module_path: {classes}, marks: {marks}"
    config.write_text(
        f"name: lab\nendpoints:\n  - {{name: first, {oven}}}\n"
        f"  - {{name: hung, {oven}, hangs: true}}\n  - {{name: last, {oven}}}\n"
    )
    with Program(mesh.address, "serve", "-c", str(config)) as service:
        assert wait_until(lambda: marks.exists() and "hung started" in marks.read_text())
        service.process.send_signal(number)
        service.wait_for("stderr", "waiting for hung, which is being started; a second Ctrl-C does not wait")
        ended = service.end(number)
    assert ended.status == 0
    assert ended.seconds < 5.0
    assert "Traceback" not in ended.stderr
    assert marks.read_text().splitlines() == ["first started", "hung started", "hung stopped", "first stopped"]


def test_a_service_that_was_stopped_before_does_not_start(mesh: Mesh) -> None:
    valve = Valve(name="valve")
    service = service_of(mesh, valve)
    service.stop()
    with pytest.raises(ServiceStartError, match="lab was stopped, and starts once"):
        service.start()
    assert valve._done == []


class Rude(Valve):
    """Does not stop as it should."""

    def stop(self) -> None:
        super().stop()
        raise AttributeError("it has no socket")


def test_a_class_that_raises_when_it_is_stopped_leaves_nothing_behind(
    mesh: Mesh, caplog: pytest.LogCaptureFixture
) -> None:
    first, rude = Valve(name="first"), Rude(name="rude")
    service = service_of(mesh, first, rude)
    service.start()
    service.stop()
    assert (first._done, rude._done) == (["start", "stop"], ["start", "stop"])
    assert any(text.startswith("rude could not be stopped: AttributeError: it has no") for text in caplog.messages)
    assert wait_until(lambda: not any("lab@" in thread.name for thread in threading.enumerate()))


def test_calls_of_an_outage_that_are_under_way_come_before_those_of_the_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    slow, other = Valve("shut", name="slow"), Valve(name="other")
    waited_for: list[Any] = []
    finish = Outage.finish

    def noted(outage: Outage, *args: Any) -> None:
        finish(outage, *args)
        waited_for.extend(other._done)

    monkeypatch.setattr(Outage, "finish", noted)
    with Broker() as broker, Mesh(broker.address) as mesh:
        lost = {"after": 0, "calls": sets(("slow", "shut"), ("other", "shut"))}
        service = service_of(mesh, slow, other, on_broker_lost=lost, shutdown_calls=sets(("other", "off")))
        service.start()
        broker.stop()
        assert slow._entered.wait(10)
        stopping = threading.Thread(target=service.stop)
        stopping.start()
        assert wait_until(lambda: service._life._was_stopped)
        slow._go_on.set()
        stopping.join(15)
    assert slow._done == ["start", "shut", "stop"]
    assert waited_for == ["start", "shut"]
    assert other._done == ["start", "shut", "off", "stop"]

"""A service's life: names, lanes, stops, and connections that go and come back."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import DriplineTimeoutError, ServiceStartError
from dragonfly.core.message import ReplyMessage
from dragonfly.core.service import Service
from dragonfly.testing import Mesh, RabbitMQNode
from dragonfly.testing.plugin import RunningBroker, require_rabbitmq
from tests.mesh.program import Program, dragonfly, serve
from tests.mesh.raw import RawClient
from tests.waiting import wait_until

TUTORIAL = Path(__file__).parents[2] / "examples" / "kv_store_tutorial.yaml"
INSTRUMENTS = Path(__file__).with_name("instruments.py")

GATES = """
name: gates
stop_timeout: {stop_timeout}
clock_tolerance: 0
endpoints:
  - name: gate
    module: GateEndpoint
    module_path: {module_path}
    directory: {directory}
  - name: other
    module: GateEndpoint
    module_path: {module_path}
    directory: {directory}
  - name: rude
    module: RudeEndpoint
    module_path: {module_path}
"""


def gates(directory: Path, stop_timeout: float = 10.0) -> str:
    return GATES.format(module_path=INSTRUMENTS, directory=directory, stop_timeout=stop_timeout)


class SlowInstrument(Endpoint):
    """An instrument that takes longer to start than a broker to connect."""

    def start(self) -> None:
        service: Any = self.service
        assert wait_until(lambda: service._life.wire.requester.is_ready)
        # Time enough to come onto the mesh, which it must not do before the instruments are there.
        assert not service._life._bound.wait(0.5)

    def on_get(self) -> int:
        return 1


def test_a_service_whose_instrument_starts_slowly_does_not_take_itself_for_another(mesh: Mesh) -> None:
    service = Service(name="slow", broker=mesh.address)
    service.add_endpoint(SlowInstrument(name="oven"))
    mesh.serve(service)
    assert mesh.client.get("oven").payload == {"values": [1]}


def wait_for_file(path: Path) -> None:
    assert wait_until(path.exists), f"{path} did not come"


class Call:
    """A request in a thread of its own."""

    def __init__(self, mesh: Mesh, verb: str, *args: Any, **kwargs: Any) -> None:
        self.reply: ReplyMessage | None = None
        self.error: Exception | None = None
        self._call = lambda: getattr(mesh.client, verb)(*args, **kwargs)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.reply = self._call()
        except Exception as err:  # noqa: BLE001 - handed to the test
            self.error = err

    def result(self) -> ReplyMessage:
        self._thread.join(15)
        assert self.reply is not None, self.error
        return self.reply


def test_a_second_service_of_the_name_ends_at_once_and_names_the_first(broker: RunningBroker) -> None:
    with serve(broker.address, str(TUTORIAL)) as first:
        second = dragonfly(broker.address, "serve", "-c", str(TUTORIAL), "-b", broker.address)
        assert (second.status, second.stdout, second.stderr.count("\n")) == (6, "", 1)
        assert "my_store is already served by " in second.stderr
        assert "dragonfly/__main__.py)" in second.stderr
        assert second.seconds < 2.0
        assert dragonfly(broker.address, "get", "peaches").status == 0
        assert first.end().status == 0


def test_an_endpoint_of_another_service_is_not_taken_over(mesh: Mesh) -> None:
    mesh.serve(TUTORIAL)
    with pytest.raises(ServiceStartError, match=r"^peaches, which other wants to serve, is already served by my_store"):
        mesh.serve("name: other\nendpoints:\n  - {name: peaches, module: kv_store_key}\n")
    assert mesh.client.get("peaches").retcode == 0


def test_a_service_starts_although_a_monitor_swallows_its_questions(broker: RunningBroker) -> None:
    with Program(broker.address, "monitor", "-e", "requests", "-v") as monitor:
        monitor.wait_for("stderr", "starting to monitor")
        with serve(broker.address, str(TUTORIAL)) as service:
            assert dragonfly(broker.address, "get", "peaches").status == 0
            assert service.end(signal.SIGINT).status == 0
        ended = monitor.end()
        assert "ping]" not in ended.stdout, "a service's own questions are shown with -vv only"


def test_a_hung_endpoint_delays_only_its_own_lane(mesh: Mesh, tmp_path: Path) -> None:
    mesh.serve(gates(tmp_path))
    hung = Call(mesh, "get", "gate")
    wait_for_file(tmp_path / "gate.entered")
    assert mesh.client.cmd("gate", "ping").retcode == 0
    assert mesh.client.cmd("gates", "ping").retcode == 0
    assert mesh.client.set("other", 1).retcode == 0
    (tmp_path / "open").touch()
    assert hung.result().payload == {"values": ["open"]}


def test_handlers_that_misbehave_become_error_replies(mesh: Mesh, tmp_path: Path) -> None:
    mesh.serve(gates(tmp_path))
    client = mesh.client
    replies = [
        client.get("rude"),
        client.run("rude"),
        *(client.set("rude", how) for how in ("x", "exit", "cancel", "mute")),
    ]
    assert [reply.retcode for reply in replies] == [303, 999, 999, 999, 999, 999]
    assert [reply.return_msg for reply in replies[1:]] == [
        "RuntimeError",
        "ZeroDivisionError: no words",
        "SystemExit: the instrument's library gives up",
        "CancelledError",
        "MuteError",
    ]
    assert client.send("rude", "x").payload == {"values": ["nan"]}


def test_a_service_starts_once(mesh: Mesh) -> None:
    service = mesh.serve(TUTORIAL)
    with pytest.raises(ServiceStartError, match="my_store was started before"):
        service.start()
    assert mesh.client.get("peaches").retcode == 0
    service.stop()
    service.stop()
    with pytest.raises(ServiceStartError, match="my_store was stopped"):
        service.start()


@pytest.mark.parametrize("is_there", [True, False], ids=["with its broker", "without a broker"])
def test_a_stop_from_another_thread_ends_a_run(mesh: Mesh, unused_address: str, is_there: bool) -> None:
    service = Service(name="short", broker=mesh.address if is_there else unused_address)
    running = threading.Thread(target=service.run)
    running.start()
    if is_there:
        assert wait_until(lambda: mesh.client.cmd("short", "ping").retcode == 0)
    else:
        assert wait_until(lambda: service._life._presence is not None)
    service.stop()
    running.join(5)
    assert not running.is_alive()


def test_a_name_that_a_dead_link_holds_is_taken_when_it_is_released(
    mesh: Mesh, caplog: pytest.LogCaptureFixture
) -> None:
    with RawClient(mesh.address) as holder:
        holder.channel.queue_declare("short", exclusive=True, auto_delete=True)
        starting = threading.Thread(target=mesh.serve, args=("name: short\n",))
        starting.start()
        assert wait_until(lambda: "the name short is taken; asking who has it" in caplog.messages)
    starting.join(5)
    assert mesh.client.cmd("short", "ping").retcode == 0


def test_a_name_that_stays_taken_is_reported(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dragonfly.core.service_binding.HALF_OPEN_SECONDS", -3.0)
    with RawClient(mesh.address) as holder:
        holder.channel.queue_declare("short", exclusive=True, auto_delete=True)
        with pytest.raises(ServiceStartError, match="short is already served, by a program that has not answered"):
            mesh.serve("name: short\nheartbeat: 1\n")


def test_a_clean_stop_finishes_what_runs_refuses_what_waits_and_is_gone(mesh: Mesh, tmp_path: Path) -> None:
    service = mesh.serve(gates(tmp_path))
    running = Call(mesh, "get", "gate")
    wait_for_file(tmp_path / "gate.entered")
    waiting = [Call(mesh, "set", "gate", number) for number in range(5)]
    assert mesh.client.cmd("gates", "ping").retcode == 0
    assert service._life._presence is not None
    lane = next(lane for lane in service._life._presence.lanes if lane.name == "gate")
    assert wait_until(lambda: lane.depth == 5)
    stopping = threading.Thread(target=service.stop)
    stopping.start()
    assert [call.result().retcode for call in waiting] == [321] * 5
    assert wait_until(lambda: is_gone(mesh, "gate"))
    (tmp_path / "open").touch()
    assert running.result().payload == {"values": ["open"]}
    stopping.join(5)
    assert not stopping.is_alive()
    assert not (tmp_path / "sets").exists()


def test_a_handler_that_hangs_does_not_keep_a_stop_longer_than_stop_timeout(
    broker: RunningBroker, mesh: Mesh, tmp_path: Path
) -> None:
    config = tmp_path / "gates.yaml"
    config.write_text(gates(tmp_path, stop_timeout=0.5))
    with serve(broker.address, str(config)) as service:
        hung = Call(mesh, "get", "gate", timeout=1.0)
        wait_for_file(tmp_path / "gate.entered")
        ended = service.end(signal.SIGTERM)
    assert ended.status == 0
    assert ended.seconds < 5.0
    assert "gates leaves requests unfinished on gate" in ended.stderr
    hung._thread.join(5)
    assert "no reply" in str(hung.error)


def test_a_second_signal_waits_for_no_handler(broker: RunningBroker, mesh: Mesh, tmp_path: Path) -> None:
    config = tmp_path / "gates.yaml"
    config.write_text(gates(tmp_path, stop_timeout=60))
    with serve(broker.address, str(config)) as service:
        hung = Call(mesh, "get", "gate", timeout=1.0)
        wait_for_file(tmp_path / "gate.entered")
        service.process.send_signal(signal.SIGINT)
        assert wait_until(lambda: is_gone(mesh, "other"))
        assert service.end(signal.SIGINT).seconds < 5.0
    hung._thread.join(5)


def is_gone(mesh: Mesh, name: str) -> bool:
    """Tell whether the broker knows that nobody serves a name; what it held at the cancel is never answered."""
    try:
        return mesh.client.cmd(name, "ping", timeout=0.5).retcode == 102
    except DriplineTimeoutError:
        return False


def test_what_a_stopped_process_finds_too_late_is_not_done(broker: RunningBroker, tmp_path: Path) -> None:
    config = tmp_path / "gates.yaml"
    config.write_text(gates(tmp_path))
    with serve(broker.address, str(config)) as service:
        service.process.send_signal(signal.SIGSTOP)
        late = dragonfly(broker.address, "set", "gate", "13", "--timeout", "0.5")
        assert late.status == 4  # so its deadline is over, and this service's clock has no tolerance
        service.process.send_signal(signal.SIGCONT)
        assert dragonfly(broker.address, "set", "gate", "14").status == 0
        service.wait_for("stderr", r"gate failed \(305\)")
        assert service.end().status == 0
    assert (tmp_path / "sets").read_text() == "14\n"


@pytest.mark.rabbitmq
def test_a_service_waits_for_its_broker_and_comes_back_to_it(tmp_path: Path) -> None:
    require_rabbitmq()
    node = RabbitMQNode()
    node.start()
    try:
        address = node.address
        node.kill()
        with Program(address, "serve", "-c", str(TUTORIAL), "-b", address) as service:
            service.wait_for("stderr", f"unable to connect to broker {address}")
            node.start()
            assert wait_until(lambda: dragonfly(address, "get", "peaches").status == 0, 15)
            assert dragonfly(address, "set", "peaches", "5").status == 0
            node.restart()
            service.wait_for("stderr", "my_store is back on the mesh", 15)
            assert dragonfly(address, "get", "peaches").stdout.endswith("{'value_cal': 10, 'value_raw': '5'}\n")
            assert service.end(signal.SIGTERM).status == 0
    finally:
        node.stop()

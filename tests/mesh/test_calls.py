"""What a config file has called: on the mesh, at the stop, and when the mesh is away."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from dragonfly.broker import Broker
from dragonfly.core.constants import ALERTS
from dragonfly.core.exceptions import ServiceStartError
from dragonfly.core.listener import Listener
from dragonfly.loader import ConfigError, load
from dragonfly.testing import Mesh
from tests.mesh.program import dragonfly
from tests.waiting import wait_until

INSTRUMENTS = Path(__file__).parent / "instruments.py"
TREE = f"""
endpoints:
- name: rack
  module: kv_store
  endpoints:
  - {{name: heater, module: kv_store_key, initial_value: 1, limits: [0, 10], log_on_set: true}}
  - {{name: fan, module: kv_store_key, initial_value: 1, log_interval: 30}}
- {{name: gate, module: GateEndpoint, module_path: {INSTRUMENTS}, directory: DIRECTORY}}
"""


def service_of(calls: str, directory: Path | None = None) -> str:
    return f"name: lab\n{calls}\n{TREE.replace('DIRECTORY', str(directory or INSTRUMENTS.parent))}"


@pytest.fixture
def unused_port(unused_address: str) -> int:
    return int(unused_address.rpartition(":")[2])


def built_from(file: Path) -> None:
    config = load(file)
    config.build_endpoints(config.build_service())


def value_of(mesh: Mesh, name: str) -> Any:
    return mesh.client.get(name).payload["value_raw"]


def test_setup_calls_run_in_their_order_before_the_service_is_said_to_be_there(mesh: Mesh) -> None:
    calls = """
setup_calls:
- {target: heater, method: on_set, args: 3}
- {target: heater, method: on_set, args: [4]}
- {target: rack, method: _on_set, args: "on", kwargs: {routing_key_specifier: logging_status}}
- {target: fan, method: set, args: [12], kwargs: {routing_key_specifier: log-interval}}
"""
    mesh.serve(service_of(calls))
    assert value_of(mesh, "heater") == "4"
    assert mesh.client.get("fan.logging_status").payload == {"values": [True]}
    assert mesh.client.get("fan.log_interval").payload == {"values": [12.0]}


def test_a_call_that_fails_is_logged_with_its_place_and_the_next_one_runs(
    mesh: Mesh, caplog: pytest.LogCaptureFixture
) -> None:
    calls = """setup_calls:
- target: heater
  method: on_set
  args: 11
- {target: fan, method: on_set, args: 5}
"""
    mesh.serve(service_of(calls))
    assert (value_of(mesh, "heater"), value_of(mesh, "fan")) == ("1", "5")
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "setup_calls in line 3 of " in record.getMessage()
    assert "heater: 11 is outside its limits [0, 10]" in record.getMessage()


def test_a_required_call_that_fails_ends_the_service(mesh: Mesh) -> None:
    calls = "setup_calls_required: true\nsetup_calls: [{target: heater, method: on_set, args: hot}]"
    with pytest.raises(ServiceStartError, match="lab needs its setup_calls: .*'hot' is not a number"):
        mesh.serve(service_of(calls))


def test_the_status_of_a_service_that_lacks_its_calls_is_6(mesh: Mesh, tmp_path: Path) -> None:
    file = tmp_path / "lab.yaml"
    file.write_text(
        service_of("setup_calls_required: true\nsetup_calls: [{target: heater, method: on_set, args: hot}]")
    )
    done = dragonfly(mesh.address, "serve", "-c", str(file), "-b", mesh.address)
    assert done.status == 6
    assert "needs its setup_calls" in done.stderr and "Traceback" not in done.stderr


def test_a_lock_does_not_keep_the_service_itself_from_acting(mesh: Mesh) -> None:
    service = mesh.serve(service_of("shutdown_calls: [{target: heater, method: on_set, args: 0}]"))
    assert mesh.client.cmd("heater", "lock").retcode == 0
    service.stop()
    assert service.endpoints["rack"].endpoints["heater"].on_get()["value_raw"] == "0"  # type: ignore[attr-defined]


def test_shutdown_calls_run_after_the_last_request_and_what_they_say_is_heard(mesh: Mesh) -> None:
    with Listener(mesh.address, ALERTS, ["sensor_value.heater"], "test") as listener:
        service = mesh.serve(service_of("shutdown_calls: [{target: heater, method: on_set, args: 0}]"))
        mesh.client.set("heater", 7)
        service.stop()
        heard = [listener.next(timeout=5.0) for _ in range(2)]
    assert [json.loads(delivery.body)["payload"]["value_raw"] for delivery in heard if delivery] == ["7", "0"]


def test_shutdown_calls_do_not_run_for_a_service_that_was_never_there(mesh: Mesh) -> None:
    mesh.serve(service_of(""))
    calls = "shutdown_calls: [{target: heater, method: on_set, args: 0}]"
    with pytest.raises(ServiceStartError, match="already served"):
        mesh.serve(service_of(calls))
    assert value_of(mesh, "heater") == "1"


@pytest.mark.parametrize(
    ("calls", "text"),
    [
        (
            "setup_calls: [{target: haeter, method: reset}]",
            "there is no endpoint 'haeter' to call; did you mean",
        ),
        ("shutdown_calls: [{target: heater, method: piing}]", "has no <piing> command"),
        ("shutdown_calls: [{target: heater, method: __init__}]", "is not for the mesh"),
        ("on_broker_lost: {after: 3, calls: [{target: nobody, method: ping}]}", "there is no endpoint 'nobody'"),
        ("setup_calls: [{target: heater}]", "lab.yaml:2: lab: a call needs the key method"),
        ("setup_calls_required: 3", "setup_calls_required must be true or false"),
    ],
)
def test_a_call_without_a_target_is_a_problem_of_the_file(tmp_path: Path, calls: str, text: str) -> None:
    file = tmp_path / "lab.yaml"
    file.write_text(service_of(calls))
    with pytest.raises(ConfigError, match=text) as caught:
        built_from(file)
    assert caught.value.problems[0].line == 2


def test_all_calls_that_are_wrong_are_told_at_once_each_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "lab.yaml"
    file.write_text(
        service_of(
            """setup_calls:
- {target: haeter, method: on_get}
- {target: heater, method: on_get}
shutdown_calls:
- {target: fan, method: explode}
"""
        )
    )
    with pytest.raises(ConfigError) as caught:
        built_from(file)
    assert [problem.line for problem in caught.value.problems] == [3, 6]
    file.write_text(service_of("setup_calls:\n- {target: fan}\n- {target: fan, method: on_get, arg: 3}"))
    with pytest.raises(ConfigError) as caught:
        built_from(file)
    assert [problem.line for problem in caught.value.problems] == [3, 4]


def test_the_calls_of_an_outage_run_once_in_it_and_those_of_the_start_never_again(unused_port: int) -> None:
    calls = """
setup_calls: [{target: fan, method: on_set, args: 8}]
on_broker_lost:
  after: 0.3
  calls: [{target: heater, method: on_set, args: 0}]
"""
    with Broker(port=unused_port) as broker, Mesh(broker.address) as mesh:
        service = mesh.serve(service_of(calls))
        rack: Any = service.endpoints["rack"]
        mesh.client.set("fan", 2)
        broker.stop()
        assert wait_until(lambda: rack.endpoints["heater"].on_get()["value_raw"] == "0")
        with Broker(port=unused_port):
            rack.endpoints["heater"].on_set(5)
            assert wait_until(lambda: mesh.client.cmd("lab", "ping").retcode == 0)
            assert (value_of(mesh, "heater"), value_of(mesh, "fan")) == ("5", "2")


def test_an_outage_that_is_short_enough_calls_nothing(unused_port: int) -> None:
    calls = "on_broker_lost: {after: 60, calls: [{target: heater, method: on_set, args: 0}]}"
    with Broker(port=unused_port) as broker, Mesh(broker.address) as mesh:
        mesh.serve(service_of(calls))
        broker.stop()
        with Broker(port=unused_port):
            assert wait_until(lambda: mesh.client.cmd("lab", "ping").retcode == 0)
            assert value_of(mesh, "heater") == "1"


def test_a_call_behind_a_hung_instrument_is_given_up_and_never_runs(
    mesh: Mesh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("dragonfly.core.service_life.CALL_SECONDS", 0.2)
    calls = "setup_calls: [{target: gate, method: on_get}, {target: gate, method: on_set, args: 5}]"
    mesh.serve(service_of(calls, tmp_path))
    texts = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert "has not ended within 0.2 s" in texts[0]
    assert "did not begin, since its instrument is busy, within 0.2 s" in texts[1]
    (tmp_path / "open").touch()
    assert mesh.client.get("gate").retcode == 0
    assert not (tmp_path / "sets").exists()

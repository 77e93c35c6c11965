"""A mesh for tests: services whose clock the test moves, and whose instrument is a script."""

import threading
from pathlib import Path
from typing import Any

import pytest

from dragonfly.core import Endpoint, Service
from dragonfly.testing import ManualClock, Mesh, ScriptedInstrument, ScriptError
from dragonfly.testing import mesh as mesh_module
from tests.testing.oven import OvenTemperature

OVEN_FILE = Path(__file__).with_name("oven.py")

LAB = f"""\
name: lab
endpoints:
  - name: oven
    module: OvenProvider
    module_path: {OVEN_FILE}
    endpoints:
      - name: temperature
        module: OvenTemperature
        module_path: {OVEN_FILE}
        log_interval: 30
        calibration: '2*{{}}'
        get_on_set: true
"""

SCRIPTED_LAB = f"""\
name: lab
endpoints:
  - name: oven
    module: ScriptedOven
    module_path: {OVEN_FILE}
    script:
      - ['TEMP?', 4]
      - [['SET 5', 'OPC?'], null]
      - ['TEMP?', 5]
    endpoints:
      - name: temperature
        module: OvenTemperature
        module_path: {OVEN_FILE}
        get_on_set: true
"""


def test_a_script_takes_the_place_of_a_files_instrument(mesh: Mesh) -> None:
    script = [("TEMP?", 4), (("SET 5", "OPC?"), None), ("TEMP?", 5)]
    with ScriptedInstrument(script, name="oven") as oven:
        mesh.serve(LAB, instead=[oven])
        assert mesh.client.get("temperature").payload == {"value_raw": 4, "value_cal": 8}
        assert mesh.client.set("temperature", 5).payload == {"value_raw": 5, "value_cal": 10}


def test_a_script_may_stand_in_the_file(mesh: Mesh) -> None:
    service = mesh.serve(SCRIPTED_LAB)
    assert mesh.client.get("temperature").payload == {"value_raw": 4}
    assert mesh.client.set("temperature", 5).payload == {"value_raw": 5}
    oven = service.endpoints["oven"]
    assert isinstance(oven, ScriptedInstrument)
    oven.done()


def test_what_the_script_does_not_have_is_told_in_the_reply_and_at_the_end(mesh: Mesh) -> None:
    oven = ScriptedInstrument([("STATE?", 1)], name="oven")
    mesh.serve(LAB, instead=[oven])
    reply = mesh.client.get("temperature")
    text = "oven: exchange 1 of 1: 'STATE?' was expected, 'TEMP?' was sent"
    assert (reply.retcode, reply.return_msg) == (999, f"ScriptError: {text}")
    with pytest.raises(ScriptError, match=r"'STATE\?' was expected"):
        oven.done()


def test_what_takes_a_place_that_is_not_there_is_an_error(mesh: Mesh) -> None:
    with pytest.raises(ValueError, match="no block below the first has the name furnace"):
        mesh.serve(LAB, instead=[ScriptedInstrument([], name="furnace")])
    with pytest.raises(ValueError, match="lab > oven: Endpoint is no Provider, and blocks stand below it"):
        mesh.serve(LAB, instead=[Endpoint(name="oven")])


def test_half_an_hour_of_logging_takes_no_time(mesh: Mesh, clock: ManualClock) -> None:
    readings = 61
    with ScriptedInstrument([("TEMP?", number) for number in range(readings)], name="oven") as oven:
        mesh.serve(LAB, clock=clock, instead=[oven])
        assert mesh.client.set("temperature.logging_status", "on").retcode == 0
        clock.advance(30 * (readings - 1))


def test_two_services_have_one_clock_and_stop_one_by_one(mesh: Mesh, clock: ManualClock) -> None:
    with (
        ScriptedInstrument([("TEMP?", number) for number in range(2)], name="oven") as first,
        ScriptedInstrument([("TEMP?", number) for number in range(4)], name="oven2") as second,
    ):
        stopped = mesh.serve(LAB, clock=clock, instead=[first])
        other = LAB.replace("lab", "lab2").replace("name: oven", "name: oven2").replace("temperature", "temperature2")
        mesh.serve(other, clock=clock, instead=[second])
        for name in ("temperature", "temperature2"):
            mesh.client.set(f"{name}.logging_status", "on")
        clock.advance(30)
        stopped.stop()
        clock.advance(60)


class Stuck(OvenTemperature):
    """Hangs until it is let go."""

    def __init__(self, **keys: Any) -> None:
        super().__init__(**keys)
        self._released = threading.Event()

    def on_get(self) -> Any:
        self._released.wait(10.0)
        return {"value_raw": 1}

    def stop(self) -> None:
        self._released.set()


def test_what_never_comes_to_rest_is_told(mesh: Mesh, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mesh_module, "REST_SECONDS", 0.05)
    service = Service(name="lab", broker=mesh.address, stop_timeout=0)
    stuck = Stuck(name="stuck", log_interval=1)
    service.add_endpoint(stuck)
    mesh.serve(service, clock=clock)
    stuck.logging_status = True
    with pytest.raises(TimeoutError, match=r"^lab: after 0\.05 s, stuck still has something to do$"):
        clock.advance(1)
    stuck.stop()

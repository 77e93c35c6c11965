"""What a set does on the mesh: it is told, or refused, and calibrated when it is read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from dragonfly.testing import Mesh
from tests.mesh.ear import SENSORS, Ear, sensor


@pytest.fixture
def ear(mesh: Mesh) -> Iterator[Ear]:
    """Give somebody who listens."""
    with Ear(mesh.address) as ear:
        yield ear


def test_get_on_set_and_log_on_set_in_each_combination_at_run_time(mesh: Mesh, ear: Ear) -> None:
    own = {"value_raw": "own"}
    blocks = []
    for kind, returned in (("none", None), ("text", "done"), ("dict", own)):
        for calibration in (None, "kelvin({})"):
            name = f"{kind}_{'raw' if calibration is None else 'cal'}"
            block = {"name": name, "module": "Thermometer", "module_path": str(SENSORS)}
            blocks.append({**block, "returned": returned, "calibration": calibration})
    service = mesh.serve(json.dumps({"name": "lab", "endpoints": blocks}))
    silent = {"values": [None]}
    for get_on_set, log_on_set in ((False, False), (True, False), (True, True), (False, True), (False, False)):
        for block in blocks:
            name, kind = block["name"], str(block["name"])[:4]
            assert mesh.client.set(f"{name}.get_on_set", get_on_set).retcode == 0
            assert mesh.client.set(f"{name}.log_on_set", log_on_set).retcode == 0
            reply = mesh.client.set(name, 1.5)
            calibrated = {"value_cal": 274.65} if block["calibration"] else {}
            read = {**calibrated, "value_raw": "1.5"}
            answers: dict[str, Any] = {"none": silent, "text": {"values": ["done"]}, "dict": own}
            alert = read if get_on_set else own if kind == "dict" else {**calibrated, "value_raw": 1.5}
            assert reply.payload == (read if get_on_set else answers[kind])
            assert ear.heard(service) == ([(f"sensor_value.{name}", alert)] if log_on_set else [])


def test_a_set_that_is_refused_sets_and_tells_nothing(mesh: Mesh, ear: Ear) -> None:
    service = mesh.serve(sensor(log_on_set=True, get_on_set=True, limits=[0, None], unit="K"))
    for value, why in ((-1, "-1 is outside its limits [0, open]"), ("hot", "'hot' is not a number; its limits are ")):
        reply = mesh.client.set("volts", value)
        assert (reply.retcode, reply.payload) == (304, {"values": [None]})
        assert why in reply.return_msg
    assert mesh.client.get("volts").payload == {"value_raw": "20"}
    assert mesh.client.get("volts.limits").payload == {"values": [[0, None]]}
    assert mesh.client.get("volts.unit").payload == {"values": ["K"]}
    assert ear.heard(service) == []
    assert mesh.client.set("volts", "1e1").payload == {"value_raw": "1e1"}


def test_the_functions_of_a_class_of_ones_own_calibrate(mesh: Mesh) -> None:
    mesh.serve(sensor(calibration="kelvin(picky({}))", get_on_set=True))
    assert mesh.client.get("volts").payload == {"value_cal": 293.15, "value_raw": "20"}
    for value, why in ((-5, "only what is above 0"), ("OVLD", "'OVLD' is not a number")):
        raw = {"value_raw": str(value)}
        for reply in (mesh.client.set("volts", value), mesh.client.get("volts")):
            assert (reply.retcode, reply.payload) == (304, raw)
            assert why in reply.return_msg


def test_a_raw_value_that_the_dict_does_not_have_is_304_and_names_those_that_it_has(mesh: Mesh) -> None:
    mesh.serve(sensor(calibration={"20": "on", "0": "off"}))
    assert mesh.client.get("volts").payload == {"value_cal": "on", "value_raw": "20"}
    assert mesh.client.set("volts", 7).retcode == 0
    reply = mesh.client.get("volts")
    assert (reply.retcode, reply.payload) == (304, {"value_raw": "7"})
    assert "raw value <'7'> not in cal dict; it has '20', '0'" in reply.return_msg

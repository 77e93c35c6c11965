"""What a client learns of a mesh that it knows nothing about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dragonfly.core.service import Service
from dragonfly.implementations.key_value_store import kv_store, kv_store_key
from dragonfly.testing import Mesh
from dragonfly.testing.plugin import RunningBroker
from tests.core.test_description import COMMANDS, FIELDS, UNLOCKED, Cryostat, Talkative
from tests.mesh.program import dragonfly

TUTORIAL = Path(__file__).parents[2] / "examples" / "kv_store_tutorial.yaml"


def described(mesh: Mesh, target: str) -> dict[str, Any]:
    reply = mesh.client.cmd(target, "describe")
    assert (reply.retcode, reply.return_msg) == (0, "")
    payload: dict[str, Any] = reply.payload
    assert list(payload) == FIELDS
    return payload


def test_an_endpoint_of_the_tutorial_is_described_whole(mesh: Mesh) -> None:
    mesh.serve(TUTORIAL)
    told = described(mesh, "peaches")
    assert {name: told[name] for name in FIELDS if name not in ("attributes", "commands")} == {
        "name": "peaches",
        "class": "kv_store_key",
        "provider": "my_price_list",
        "service": "my_store",
        "description": None,
        "unit": None,
        "limits": None,
        "get": True,
        "set": True,
        "lock": UNLOCKED,
        "logging": False,
        "endpoints": [],
    }
    assert {name: entry["arguments"] for name, entry in told["commands"].items()} == COMMANDS
    assert told["attributes"]["log_interval"] == {
        "type": "float",
        "settable": True,
        "doc": "Time between log events, in seconds; 0 is never.",
    }
    assert told["attributes"]["calibration"]["settable"] is False


def test_each_name_in_a_description_does_what_it_says(mesh: Mesh) -> None:
    mesh.serve(TUTORIAL)
    for target in ("peaches", "my_price_list", "my_store"):
        told = described(mesh, target)
        assert set(told["attributes"]) | set(told["commands"])
        for name, entry in told["attributes"].items():
            value = mesh.client.get(f"{target}.{name}")
            assert value.retcode == 0, name
            # What is not acceptable is 304; what cannot be set at all is 306.
            refused = mesh.client.set(f"{target}.{name}", {"no": "value"})
            assert refused.retcode == (304 if entry["settable"] else 306), name
        for name in told["commands"]:
            assert mesh.client.cmd(target, name, *range(9)).retcode == 303, name
        for verb in ("get", "set"):
            code = getattr(mesh.client, verb)(target, *([1] if verb == "set" else [])).retcode
            assert (code != 306) is told[verb], verb


def test_a_service_tells_of_its_whole_tree_and_of_now(mesh: Mesh) -> None:
    mesh.serve(TUTORIAL)
    mesh.client.set("peaches.logging_status", "on")
    mesh.client.cmd("chips", "lock")
    told = described(mesh, "my_store")
    assert (told["class"], told["provider"], told["service"]) == ("Service", None, "my_store")
    (store,) = told["endpoints"]
    prices = {child["name"]: child for child in store["endpoints"]}
    assert list(prices) == ["peaches", "chips", "waffles", "peaches_status"]
    assert [child["logging"] for child in prices.values()] == [True, False, False, False]
    assert [child["lock"]["locked"] for child in prices.values()] == [False, True, False, False]
    assert prices["chips"]["endpoints"] == []
    assert described(mesh, "my_price_list") == store


def test_a_class_of_ones_own_is_described_with_what_it_adds(mesh: Mesh) -> None:
    service = Service(name="lab", broker=mesh.address)
    service.add_endpoint(Cryostat(name="cryostat", description="the cold one", limits=[0, 300]))
    service.add_endpoint(Talkative(name="talkative"))
    mesh.serve(service)
    told = described(mesh, "cryostat")
    assert (told["description"], told["unit"], told["limits"]) == ("the cold one", "K", [0, 300])
    assert told["commands"]["cool"]["arguments"] == ["target", "*stages", "rate=0.5", "**options"]
    assert "bus" not in told["attributes"] and "setpoint" in told["attributes"]
    assert mesh.client.cmd("talkative", "describe").payload["serial"] == "SN1"
    assert "serial" not in described(mesh, "lab")["endpoints"][1]


@pytest.mark.parametrize("args", [[1], ["peaches"], [{}]])
def test_a_description_takes_no_values(mesh: Mesh, args: list[Any]) -> None:
    mesh.serve(TUTORIAL)
    assert mesh.client.cmd("peaches", "describe", *args).retcode == 303
    assert mesh.client.cmd("peaches", "describe", colour=1).retcode == 303


def test_the_command_line_prints_it_as_json(mesh: Mesh, broker: RunningBroker) -> None:
    mesh.serve(TUTORIAL)
    done = dragonfly(broker.address, "cmd", "peaches.describe", "--json")
    assert (done.status, json.loads(done.stdout)["payload"]["name"]) == (0, "peaches")


def test_a_service_of_many_endpoints_is_described_in_one_reply(mesh: Mesh) -> None:
    service = Service(name="lab", broker=mesh.address)
    for number in range(20):
        store = kv_store(name=f"store{number}")
        service.add_endpoint(store)
        for place in range(50):
            store.add_endpoint(kv_store_key(name=f"key{number}-{place}"))
    mesh.serve(service)
    told = described(mesh, "lab")
    assert [len(store["endpoints"]) for store in told["endpoints"]] == [50] * 20

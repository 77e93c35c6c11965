"""What an endpoint tells about itself."""

import json
import threading
from operator import attrgetter
from typing import Any

import pytest

from dragonfly.core.constants import OP_CMD
from dragonfly.core.description import attributes_of, commands_of
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import DriplinePayloadError
from dragonfly.core.provider import Provider
from dragonfly.core.service import Service
from dragonfly.implementations.key_value_store import kv_store, kv_store_key
from tests.stub_service import StubService

FIELDS = [
    *("name", "class", "provider", "service", "description", "unit", "limits", "get", "set"),
    *("attributes", "commands", "lock", "logging", "endpoints"),
]
UNLOCKED = {"locked": False, "since": None, "user": None, "host": None, "lease": None}
# name: type, settable
OF_AN_ENDPOINT = {
    "calibration": ("Any", False),
    "description": ("str | None", False),
    "get_on_set": ("bool", True),
    "is_locked": ("bool", False),
    "limits": ("Sequence[float | None] | None", False),
    "unit": ("str | None", False),
}
OF_A_SPIME = {
    **OF_AN_ENDPOINT,
    "alert_routing_key": ("str", True),
    "check_field": ("str | None", True),
    "log_interval": ("float", True),
    "log_on_set": ("bool", True),
    "logging_status": ("bool", True),
    "max_absolute_change": ("float", True),
    "max_fractional_change": ("float", True),
    "max_interval": ("float", True),
    "schedule_interval": ("float", True),
    "schedule_status": ("bool", True),
}
COMMANDS = {
    "describe": [],
    "lock": ["lease=None"],
    "lock_status": [],
    "ping": [],
    "unlock": ["force=False"],
}


def described(endpoint: Endpoint) -> dict[str, Any]:
    told: dict[str, Any] = endpoint.handle(OP_CMD, "describe", [], {})
    assert json.loads(json.dumps(told)) is not None
    return told


def attributes(told: dict[str, Any]) -> dict[str, tuple[str, bool]]:
    assert all(list(entry) == ["type", "settable", "doc"] for entry in told["attributes"].values())
    return {name: (entry["type"], entry["settable"]) for name, entry in told["attributes"].items()}


def commands(told: dict[str, Any]) -> dict[str, list[str]]:
    assert all(list(entry) == ["arguments", "doc"] for entry in told["commands"].values())
    return {name: entry["arguments"] for name, entry in told["commands"].items()}


def test_a_key_of_the_store_tells_what_it_is() -> None:
    service, store = StubService("my_store"), kv_store(name="my_price_list")
    key = kv_store_key(
        name="peaches",
        log_interval=30,
        unit="USD",
        description="price of a peach",
        limits=[0, None],
        initial_value=0.75,
    )
    service.add_endpoint(store)
    store.add_endpoint(key)
    told = described(key)
    assert list(told) == FIELDS
    assert {name: told[name] for name in FIELDS if name not in ("attributes", "commands")} == {
        "name": "peaches",
        "class": "kv_store_key",
        "provider": "my_price_list",
        "service": "my_store",
        "description": "price of a peach",
        "unit": "USD",
        "limits": (0, None),
        "get": True,
        "set": True,
        "lock": UNLOCKED,
        "logging": False,
        "endpoints": [],
    }
    assert attributes(told) == OF_A_SPIME
    assert list(told["attributes"]) == sorted(told["attributes"])
    assert commands(told) == COMMANDS
    assert told["attributes"]["log_interval"]["doc"] == "Time between log events, in seconds; 0 is never."
    assert told["commands"]["ping"]["doc"] == "Answer, whatever the instrument does."


@pytest.mark.parametrize("status", ["on", "off"])
def test_logging_is_told_as_it_is_now(status: str) -> None:
    service, key = StubService(), kv_store_key(name="peaches", log_interval=30, initial_value=1)
    service.add_endpoint(key)
    key.logging_status = status  # type: ignore[assignment] - as the mesh sets it
    assert described(key)["logging"] is (status == "on")


def test_a_provider_tells_of_all_below_it() -> None:
    service, store = StubService("my_store"), kv_store(name="my_price_list")
    service.add_endpoint(store)
    inner = kv_store(name="inner")
    store.add_endpoint(kv_store_key(name="peaches"))
    store.add_endpoint(inner)
    inner.add_endpoint(kv_store_key(name="plums"))
    told = described(store)
    assert list(told) == FIELDS
    assert (told["class"], told["provider"], told["service"]) == ("kv_store", "my_store", "my_store")
    assert (told["get"], told["set"], told["logging"], told["limits"]) == (False, False, None, None)
    assert [child["name"] for child in told["endpoints"]] == ["peaches", "inner"]
    assert told["endpoints"][1]["endpoints"][0]["provider"] == "inner"
    for child in store.endpoints.values():
        assert described(child) in told["endpoints"]
    assert attributes(told) == {
        **OF_AN_ENDPOINT,
        "endpoint_names": ("list[str]", False),
        "logging_status": ("list[list[Any]]", True),
    }


def test_a_service_tells_of_its_whole_tree() -> None:
    service = Service(name="my_store", description="prices")
    store = kv_store(name="my_price_list")
    service.add_endpoint(store)
    store.add_endpoint(kv_store_key(name="peaches"))
    told = described(service)
    assert (told["name"], told["class"], told["provider"], told["service"]) == ("my_store", "Service", None, "my_store")
    assert told["description"] == "prices"
    assert told["endpoints"][0]["endpoints"][0]["name"] == "peaches"
    assert attributes(told)["statistics"] == ("dict[str, Any]", False)
    assert commands(told) == {**COMMANDS, "set_condition": ["condition"]}


def test_an_endpoint_in_no_service_tells_so() -> None:
    told = described(Endpoint(name="peaches"))
    assert (told["provider"], told["service"]) == (None, None)


class Cryostat(Endpoint):
    """Something of somebody's own."""

    unit = "K"
    not_for_the_mesh = frozenset({"bus"})

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.setpoint = 4.2
        self.comment: str | None = None
        self.bus = object()
        self._asked = 0

    @property
    def serial(self):  # type: ignore[no-untyped-def] - as people write it
        """Serial number, read from the instrument.

        It takes two seconds.
        """
        self._asked += 1
        return "SN1"

    @property
    def rate(self) -> float:
        return 0.1

    @rate.setter
    def rate(self, value: float) -> None: ...

    def cool(self, target: float, *stages: int, rate: float = 0.5, **options: Any) -> None:
        """Cool down.

        Args:
            target: where to, K.
        """

    @staticmethod
    def convert(self_heating: float) -> float:
        return self_heating

    @classmethod
    def kind(cls) -> str:
        return cls.__name__

    def on_set(self, value: float) -> None: ...

    def _private(self) -> None: ...


def test_a_class_of_ones_own_tells_what_it_adds() -> None:
    device = Cryostat(name="cryostat", unit="mK")
    told = described(device)
    assert (told["class"], told["get"], told["set"], told["unit"]) == ("Cryostat", False, True, "K")
    added = {name: entry for name, entry in told["attributes"].items() if name not in OF_AN_ENDPOINT}
    assert added == {
        "comment": {"type": "NoneType", "settable": True, "doc": ""},
        "rate": {"type": "float", "settable": True, "doc": ""},
        "serial": {"type": "Any", "settable": False, "doc": "Serial number, read from the instrument."},
        "setpoint": {"type": "float", "settable": True, "doc": ""},
    }
    assert told["attributes"]["unit"] == {"type": "str", "settable": True, "doc": ""}
    assert {name: entry for name, entry in told["commands"].items() if name not in COMMANDS} == {
        "convert": {"arguments": ["self_heating"], "doc": ""},
        "cool": {"arguments": ["target", "*stages", "rate=0.5", "**options"], "doc": "Cool down."},
        "kind": {"arguments": [], "doc": ""},
    }


class Odd(Endpoint):
    """Members that do not say what they take and give."""

    largest = staticmethod(max)
    place = property(attrgetter("name"))
    write_only = property(None, lambda self, value: None)


def test_members_that_are_not_written_in_python_are_described_too() -> None:
    told = described(Odd(name="odd"))
    assert told["commands"]["largest"]["arguments"] == ["..."]
    assert told["attributes"]["place"]["type"] == told["attributes"]["write_only"]["type"] == "Any"
    assert told["attributes"]["write_only"]["settable"] is True
    assert Odd(name="odd").handle(OP_CMD, "largest", [1, 2], {}) == 2
    with pytest.raises(DriplinePayloadError, match=r"odd\.largest takes \(\.\.\.\)"):
        Odd(name="odd").handle(OP_CMD, "largest", [], {})


def test_no_instrument_is_asked() -> None:
    device = Cryostat(name="cryostat")
    described(device)
    assert device._asked == 0


def test_each_endpoint_tells_of_its_own_variables() -> None:
    first, second = Cryostat(name="a"), Cryostat(name="b")
    first.extra = 1  # type: ignore[attr-defined]
    assert "extra" in attributes_of(first)
    assert "extra" not in attributes_of(second)
    assert commands_of(Cryostat) is commands_of(Cryostat)


class Talkative(Cryostat):
    """Something that asks its instrument in order to describe itself."""

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "serial": self.serial}

    def lock_status(self) -> dict[str, Any]:
        return {"serial": self.serial}


def test_what_a_class_adds_is_told_by_it_alone() -> None:
    """A provider's description comes from another thread than that of the instrument."""
    provider, device = Provider(name="rack"), Talkative(name="cryostat")
    provider.add_endpoint(device)
    (told,) = described(provider)["endpoints"]
    assert device._asked == 0
    assert (list(told), told["lock"]) == (FIELDS, UNLOCKED)
    assert described(device)["serial"] == "SN1"


def test_a_variable_that_comes_meanwhile_harms_nothing() -> None:
    device: Any = Cryostat(name="cryostat")
    going = threading.Event()

    def work() -> None:
        number = 0
        while not going.is_set():
            number += 1
            setattr(device, f"reading_{number}", 1.0)
            if number > 200:
                for old in range(1, number + 1):
                    delattr(device, f"reading_{old}")
                number = 0

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for _ in range(300):
            described_once(device)
    finally:
        going.set()
        thread.join()


def described_once(device: Endpoint) -> None:
    told = device.describe()
    assert told["attributes"]["setpoint"]["type"] == "float"

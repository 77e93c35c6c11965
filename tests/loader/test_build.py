"""Objects are made parents first, attached, logged; what their constructors refuse has its place."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from dragonfly.core.provider import Provider
from dragonfly.implementations import kv_store, kv_store_key
from dragonfly.loader import ConfigError, load

WriteFile = Callable[..., Path]

STORE = """\
name: my_store
broker: somewhere
endpoints:
  - name: my_price_list
    module: kv_store
    endpoints:
      - {module: kv_store_key, initial_value: 0.75, name: peaches}
      - {name: chips, module: KVStoreKey}
  - {name: lone, module: kv_store_key}
"""


def test_the_tree_of_the_file_becomes_a_tree_of_objects(write: WriteFile) -> None:
    config = load(write(STORE))
    service = config.build_service()
    config.build_endpoints(service)
    assert list(service.endpoints) == ["my_price_list", "lone"]
    store = service.endpoints["my_price_list"]
    assert isinstance(store, kv_store)
    assert list(store.endpoints) == ["peaches", "chips"]
    peaches = store.endpoints["peaches"]
    assert isinstance(peaches, kv_store_key)
    assert peaches.provider is store
    assert store.provider is service


def test_each_object_is_logged_before_it_is_made(write: WriteFile, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "dragonfly.loader.build")
    config = load(write(STORE))
    config.build_endpoints(config.build_service())
    assert [(record.name, record.levelno) for record in caplog.records] == [("dragonfly.loader.build", 20)] * 4
    assert caplog.messages == [
        "creating a <kv_store> with args: {'name': 'my_price_list'}",
        "creating a <kv_store_key> with args: {'name': 'peaches', 'initial_value': 0.75}",
        "creating a <KVStoreKey> with args: {'name': 'chips'}",
        "creating a <kv_store_key> with args: {'name': 'lone'}",
    ]


RECORDER = """\
from dragonfly.core import Service

class recorder(Service):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.given = kwargs
"""


@pytest.mark.parametrize(
    ("overrides", "given"),
    [
        ({}, {"name": "s", "broker": "filed"}),
        ({"broker": None, "keys": None}, {"name": "s", "broker": "filed"}),
        ({"broker": "other"}, {"name": "s", "broker": "other"}),
        ({"keys": ["a.#"]}, {"name": "s", "broker": "filed", "keys": ["a.#"]}),
    ],
)
def test_overrides_win_over_the_file(write: WriteFile, overrides: dict[str, object], given: object) -> None:
    write(RECORDER, "recorder.py")
    config = load(write("name: s\nmodule: recorder\nmodule_path: recorder.py\nbroker: filed\n"))
    assert vars(config.build_service(**overrides))["given"] == given


def test_a_config_says_what_it_is_about(write: WriteFile) -> None:
    config = load(write(STORE))
    assert (config.name, config.broker) == ("my_store", "somewhere")
    assert load(write("name: s\n")).broker is None


FAULTY = """\
from dragonfly.core import Endpoint, Provider
from dragonfly.core.exceptions import DriplineHardwareError

class faulty(Provider):
    def __init__(self, error, **kwargs):
        super().__init__(**kwargs)
        raise {"dripline": DriplineHardwareError("no such port"), "value": ValueError("the gain is odd"),
               "type": TypeError("a number was expected"), "key": KeyError("volts"), "empty": ValueError(),
               "file": FileNotFoundError(2, "No such file", "table.csv"), "zero": ZeroDivisionError("no gain"),
               "attribute": AttributeError("no port"), "runtime": RuntimeError("no driver")}[error]

class needs_volts(Endpoint):
    def __init__(self, volts, amps=0, **kwargs):
        super().__init__(**kwargs)
        if volts > 5:
            raise ValueError(f"volts must be at most 5, not {volts}")

class forwards(needs_volts):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
"""


def build_problems(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(path)
    return [str(problem).removeprefix(f"{path}:") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ("dripline", "no such port"),
        ("value", "the gain is odd"),
        ("type", "TypeError: a number was expected"),
        ("key", "KeyError: 'volts'"),
        ("empty", "ValueError: "),
        ("file", "FileNotFoundError: [Errno 2] No such file: 'table.csv'"),
        ("zero", "ZeroDivisionError: no gain"),
        ("attribute", "AttributeError: no port"),
        ("runtime", "RuntimeError: no driver"),
    ],
)
def test_an_error_of_a_constructor_has_its_place(write: WriteFile, error: str, text: str) -> None:
    write(FAULTY, "faulty.py")
    path = write(
        f"""\
        name: s
        endpoints:
          - name: a
            module: faulty
            module_path: faulty.py
            error: {error}
        """
    )
    (problem,) = build_problems(path)
    assert problem.partition(" (/")[0] == f"3: s > a: {text}"
    # The place in the class is told where nobody wrote a sentence about the value.
    assert (f"{path.parent}/faulty.py:" in problem) == (error not in ("dripline", "value"))


def test_the_errors_of_all_constructors_are_collected(write: WriteFile) -> None:
    write(FAULTY, "faulty.py")
    path = write(
        """\
        name: s
        endpoints:
          - name: a
            module: faulty
            module_path: faulty.py
            error: dripline
            endpoints:
              - name: b
                module: needs_volts
                module_path: faulty.py
                amps: 3
                volts: 7
              - name: c
                module: forwards
                module_path: faulty.py
          - name: d
            module: kv_store_key
            log_interval: -3
        """
    )
    below, missing, negative = build_problems(path)[1:]
    assert below == "12: s > a > b: volts must be at most 5, not 7"
    assert missing.startswith("13: s > a > c: TypeError: ")
    assert "missing 1 required positional argument: 'volts'" in missing
    assert negative.startswith("18: s > d: log_interval")


def test_a_key_that_a_class_needs_is_missed_before_anything_is_built(write: WriteFile) -> None:
    write(FAULTY, "faulty.py")
    path = write("name: s\nendpoints:\n  - {name: a, module: needs_volts, module_path: faulty.py, amps: 1}\n")
    with pytest.raises(ConfigError, match=r"yaml:3: s > a: the key volts is missing, needs_volts needs it"):
        load(path)


def test_an_error_of_the_service_has_its_place(write: WriteFile) -> None:
    path = write("name: s\nheartbeat: soon\n")
    with pytest.raises(ConfigError, match=r"lab\.yaml:2: s: .*heartbeat"):
        load(path)


def test_what_is_misspelt_and_what_constructors_refuse_are_told_together(write: WriteFile) -> None:
    path = write(
        """
        name: s
        clock_tolerance: soon
        broker: "x:y"
        endpoints:
          - name: a
            module: kv_store_key
            log_interval: x
            log_intervall: 3
          - name: b c
            module: kv_store_key
        """
    )
    with pytest.raises(ConfigError) as caught:
        load(path)
    lines = [problem.line for problem in caught.value.problems]
    assert lines == [3, 4, 8, 9, 10]


def test_what_a_provider_refuses_has_its_place(write: WriteFile, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Provider, endpoint: object) -> None:
        raise ValueError("there is no room")

    monkeypatch.setattr(kv_store, "add_endpoint", refuse, raising=False)
    path = write(STORE)
    config = load(path)
    with pytest.raises(ConfigError) as caught:
        config.build_endpoints(config.build_service())
    assert [str(problem).removeprefix(f"{path}:") for problem in caught.value.problems] == [
        "7: my_store > my_price_list > peaches: there is no room",
        "8: my_store > my_price_list > chips: there is no room",
    ]

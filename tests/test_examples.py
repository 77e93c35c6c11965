"""The example files: the tutorial's is what its docs highlight, line by line."""

from pathlib import Path
from typing import Any

import pytest

from dragonfly.core.provider import Provider
from dragonfly.core.service import Service
from dragonfly.loader import load
from dragonfly.loader.document import read_document
from dragonfly.loader.problem import Report
from dragonfly.loader.values import ValueReader

EXAMPLES = Path(__file__).parent.parent / "examples"
TUTORIAL = EXAMPLES / "kv_store_tutorial.yaml"


def content(path: Path) -> dict[Any, Any]:
    report = Report(str(path))
    value = ValueReader(report).value(read_document(path), "")
    report.check()
    assert isinstance(value, dict)
    return value


def test_the_tutorials_file_has_40_lines_and_nothing_before_the_first() -> None:
    lines = TUTORIAL.read_text().splitlines()
    assert len(lines) == 40
    assert lines[0] == "name: my_store"
    assert all(line.strip() and "#" not in line for line in lines)


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [
        (1, 4, "my_store"),
        (5, 7, "my_price_list"),
        (8, 14, "peaches"),
        (15, 21, "chips"),
        (22, 27, "waffles"),
        (28, 40, "peaches_status"),
    ],
)
def test_the_tutorials_blocks_stand_in_the_lines_that_its_docs_highlight(first: int, last: int, name: str) -> None:
    lines = TUTORIAL.read_text().splitlines()
    assert lines[first - 1].strip().removeprefix("- ") == f"name: {name}"
    rest = lines[last:]
    assert not rest or rest[0].strip().startswith("- name: ")


def test_the_tutorials_file_holds_the_tutorials_price_list() -> None:
    key = {"module": "kv_store_key", "log_on_set": True}
    assert content(TUTORIAL) == {
        "name": "my_store",
        "module": "Spimescape",
        "broker": "localhost",
        "endpoints": [
            {
                "name": "my_price_list",
                "module": "kv_store",
                "endpoints": [
                    {
                        "name": "peaches",
                        "calibration": "2*{}",
                        "initial_value": 0.75,
                        "log_interval": 30,
                        "get_on_set": True,
                        **key,
                    },
                    {
                        "name": "chips",
                        "calibration": "times3({})",
                        "initial_value": 1.75,
                        "log_interval": 30,
                        "get_on_set": True,
                        **key,
                    },
                    {
                        "name": "waffles",
                        "calibration": "1.*{}",
                        "initial_value": 4.0,
                        "log_interval": 30,
                        **key,
                    },
                    {
                        "name": "peaches_status",
                        "initial_value": "CLOSE",
                        "calibration": {"CLOSE": "on", "OPEN": "off"},
                        "set_value_map": {1: "OPEN", 0: "CLOSE", "on": "OPEN", "off": "CLOSE"},
                        "set_value_lowercase": True,
                        **key,
                    },
                ],
            }
        ],
    }


def build(path: Path) -> Service:
    config = load(path)
    service = config.build_service()
    config.build_endpoints(service)
    return service


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.name)
def test_every_example_loads_and_builds(path: Path) -> None:
    assert build(path).name


@pytest.mark.parametrize(
    ("file", "endpoint", "answer"),
    [
        ("kv_store_tutorial.yaml", "peaches", {"value_cal": 1.5, "value_raw": "0.75"}),
        ("kv_store_tutorial.yaml", "chips", {"value_cal": 5.25, "value_raw": "1.75"}),
        ("kv_store_tutorial.yaml", "waffles", {"value_cal": 4.0, "value_raw": "4.0"}),
        ("kv_store_tutorial.yaml", "peaches_status", {"value_cal": "on", "value_raw": "CLOSE"}),
        ("kv_store.yaml", "peaches", {"value_cal": 1.5, "value_raw": "0.75"}),
    ],
)
def test_a_price_is_what_the_tutorial_says(file: str, endpoint: str, answer: dict[str, Any]) -> None:
    store = build(EXAMPLES / file).endpoints["my_price_list"]
    assert isinstance(store, Provider)
    assert store.endpoints[endpoint].on_get() == answer

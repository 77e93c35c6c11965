"""The tutorials: a reader who does all that they show gets what they show."""

import csv
from pathlib import Path

import pytest

from dragonfly.broker import Broker
from dragonfly.testing import RabbitMQNode
from dragonfly.testing.plugin import RunningBroker
from tests.pages import Reader

AnyBroker = Broker | RabbitMQNode | RunningBroker

TUTORIALS = Path(__file__).resolve().parent.parent / "docs" / "tutorials"


@pytest.mark.parametrize("tutorial", ["config_file", "own_endpoint"])
def test_a_tutorial_prints_what_it_shows(tutorial: str, broker: AnyBroker, tmp_path: Path) -> None:
    Reader(broker.address, tmp_path).read(TUTORIALS / f"{tutorial}.rst")


def test_the_scripts_of_the_tutorial_print_what_it_shows_and_write_a_table(broker: AnyBroker, tmp_path: Path) -> None:
    Reader(broker.address, tmp_path).read(TUTORIALS / "scripting.rst")
    with (tmp_path / "scan.csv").open(newline="") as file:
        head, *rows = list(csv.reader(file))
    assert head == ["time", "current_A", "temperature_K"]
    assert [row[1:] for row in rows] == [["0", "295.5"], ["5", "295.5"], ["10", "295.5"]]
    assert all(row[0].endswith("Z") for row in rows)


def test_the_first_tutorial_leads_to_the_others() -> None:
    first = (TUTORIALS / "kv_store.rst").read_text(encoding="utf-8")
    others = {page.stem for page in TUTORIALS.glob("*.rst")} - {"kv_store"}
    assert [page for page in sorted(others) if f"<{page}>`" not in first] == []

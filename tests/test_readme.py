"""README.md: its six commands print what it shows, and what it points to is there."""

import re
from pathlib import Path

from dragonfly.broker import Broker
from dragonfly.testing import RabbitMQNode
from dragonfly.testing.plugin import RunningBroker
from tests.transcript import Session, blocks

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"


def test_the_tutorial_has_six_commands() -> None:
    shown = [block.lines[0] for block in blocks(README) if block.language == "console"]
    assert [line.split()[1] for line in shown] == ["sudo", *["dragonfly"] * 5]


def test_the_six_commands_print_what_is_shown(broker: Broker | RabbitMQNode | RunningBroker) -> None:
    Session(broker.address).follow(README)


def test_everything_it_points_to_is_there() -> None:
    links = re.findall(r"\]\((?!https:)([^)]+)\)", README.read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_test_command_can_be_run() -> None:
    command = re.search(r"^ {4}\./(\S+)$", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert command is not None
    assert (ROOT / command[1]).stat().st_mode & 0o100

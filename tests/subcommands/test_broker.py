"""broker: what all verbs take and this one cannot use is refused, before anything listens."""

from __future__ import annotations

import re

import pytest

from dragonfly.broker import command
from dragonfly.cli import main
from dragonfly.subcommands.exit_status import Status


@pytest.fixture
def ports(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the ports that brokers were asked to listen on; none does."""
    asked: list[int] = []

    def run_to_the_end(args: object) -> int:
        asked.append(vars(args)["port"])
        return 0

    monkeypatch.setattr(command, "run_to_the_end", run_to_the_end)
    return asked


@pytest.mark.parametrize("words", [["-b", "localhost:5699"], ["-b"], ["--broker=localhost"]], ids=" ".join)
def test_where_it_listens_is_not_said_with_the_option_for_where_a_broker_is(
    words: list[str], ports: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["broker", *words]) == Status.USAGE
    said = "-b says where a broker is; where this one listens is said with --host and --port"
    assert re.search(rf"-> {said}\n$", capsys.readouterr().err)
    assert ports == []


def test_a_config_file_says_nothing_about_it(ports: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["broker", "-c", "my_store.yaml"]) == Status.USAGE
    assert "-c names a config file, and a broker has none" in capsys.readouterr().err
    assert ports == []


def test_the_variable_for_where_a_broker_is_does_not_keep_it_from_starting(
    ports: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRAGONFLY_BROKER", "broker.lab")
    assert main(["broker", "--port", "5699"]) == Status.SUCCESS
    assert ports == [5699]

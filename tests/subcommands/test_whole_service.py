"""What serve and check have in common: the whole tree is built, and the service is stopped whatever happens."""

from pathlib import Path

import pytest

from dragonfly.core.service import Service
from dragonfly.loader import ConfigError
from dragonfly.subcommands.whole_service import whole_service

FILE = "name: s\nendpoints: [{name: a, module: kv_store_key}]\n"


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    monkeypatch.setattr(Service, "stop", lambda self: names.append(self.name))
    return names


def test_it_gives_the_service_with_its_endpoints_and_stops_it(tmp_path: Path, stopped: list[str]) -> None:
    file = tmp_path / "lab.yaml"
    file.write_text(FILE)
    made: list[int] = []
    with whole_service(str(file), lambda config: {"keys": ["x"]}, lambda s: made.append(len(s.endpoints))) as whole:
        config, service = whole
        assert list(config.places) == ["s", "a"]
        assert list(service.endpoints) == ["a"]
        assert made == [0]  # before its endpoints were attached
        assert stopped == []
    assert stopped == ["s"]


def test_a_problem_of_the_whole_tree_stops_it_too(tmp_path: Path, stopped: list[str]) -> None:
    file = tmp_path / "lab.yaml"
    file.write_text(FILE + "setup_calls: [{target: b, method: ping}]\n")
    with pytest.raises(ConfigError), whole_service(str(file)):
        pytest.fail("the service is not whole")
    assert stopped == ["s"]

"""check: all problems of all files, the names that two of them use, and nothing started."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from dragonfly.cli import main
from dragonfly.loader import catalogue

Write = Callable[..., str]
Capsys = pytest.CaptureFixture[str]

GOOD = """
name: {name}
endpoints:
  - name: {name}_list
    module: kv_store
    endpoints:
      - {{name: {name}_key, module: kv_store_key}}
"""
BAD = """
name: lab
brokr: localhost
endpoints:
  - {name: a, module: kv_store_ke}
  - {name: b, module: kv_store_key, log_interval: soon}
"""
NOISY = """
from pathlib import Path

from dragonfly.core import Endpoint


class Noisy(Endpoint):
    def __init__(self, directory, **kwargs):
        super().__init__(**kwargs)
        self._directory = Path(directory)
        (self._directory / "made").touch()

    def start(self):
        (self._directory / "started").touch()

    def stop(self):
        (self._directory / "stopped").touch()
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DRAGONFLY_BROKER", raising=False)

    def write_file(file: str, text: str, **words: str) -> str:
        Path(file).write_text(dedent(text.format(**words) if words else text), encoding="utf-8")
        return file

    return write_file


def problems(capsys: Capsys) -> list[str]:
    return [line.partition(" -> ")[2] for line in capsys.readouterr().err.splitlines()]


def test_a_good_file_is_said_to_be_one(write: Write, capsys: Capsys) -> None:
    assert main(["check", "-c", write("a.yaml", GOOD, name="a"), write("b.yaml", GOOD, name="b")]) == 0
    assert capsys.readouterr() == ("a.yaml: no problems, 2 endpoints\nb.yaml: no problems, 2 endpoints\n", "")


def test_the_option_may_be_given_for_each_file(write: Write, capsys: Capsys) -> None:
    assert main(["check", "-c", write("a.yaml", GOOD, name="a"), "-c", write("b.yaml", "name: b\n")]) == 0
    assert capsys.readouterr().out == "a.yaml: no problems, 2 endpoints\nb.yaml: no problems, 0 endpoints\n"


def test_all_problems_of_all_files_are_printed_as_serve_prints_them(write: Write, capsys: Capsys) -> None:
    assert main(["check", "-c", write("bad.yaml", BAD), write("good.yaml", GOOD, name="a"), "none.yaml"]) == 5
    out, err = capsys.readouterr()
    assert out == "good.yaml: no problems, 2 endpoints\n"
    found = [line.partition(" -> ")[2] for line in err.splitlines()]
    assert [text.split(" ")[0] for text in found[:3]] == ["bad.yaml:3:", "bad.yaml:5:", "bad.yaml:6:"]
    assert "none.yaml" in found[3]
    main(["serve", "-c", "bad.yaml"])
    assert problems(capsys) == found[:3]


def test_what_shows_only_in_the_whole_tree_is_found_too(write: Write, capsys: Capsys) -> None:
    calls = "setup_calls: [{target: plums, method: ping}]\n"
    assert main(["check", "-c", write("a.yaml", GOOD.format(name="a") + calls)]) == 5
    (problem,) = problems(capsys)
    assert "plums" in problem


def test_objects_are_made_and_nothing_is_started(write: Write, tmp_path: Path) -> None:
    write("noisy.py", NOISY)
    block = f"{{name: n, module: Noisy, module_path: noisy.py, directory: {tmp_path}}}"
    assert main(["check", "-c", write("a.yaml", f"name: s\nendpoints: [{block}]\n")]) == 0
    assert [name for name in ("made", "started", "stopped") if (tmp_path / name).exists()] == ["made"]


def test_a_name_that_two_files_use_is_reported(write: Write, capsys: Capsys) -> None:
    write("b.yaml", "name: b\nendpoints:\n  - {name: a_key, module: kv_store_key}\n")
    assert main(["check", "-c", write("a.yaml", GOOD, name="a"), "b.yaml"]) == 5
    out, err = capsys.readouterr()
    assert out == "a.yaml: no problems, 2 endpoints\n"
    place = "a.yaml:7 (a > a_list > a_key)"
    assert err.endswith(f"-> b.yaml:3: b > a_key: the name a_key is used by another file, too: {place}\n")
    assert len(err.splitlines()) == 1


def test_files_of_different_brokers_may_use_one_name(write: Write, capsys: Capsys) -> None:
    write("a.yaml", GOOD, name="a")
    write("b.yaml", "broker: other\n" + GOOD.lstrip(), name="a")
    assert main(["check", "-c", "a.yaml", "b.yaml"]) == 0
    assert main(["check", "-c", "a.yaml", "b.yaml", "-b", "one"]) == 5
    assert len(problems(capsys)) == 3


def test_a_file_that_is_given_twice_is_looked_at_once(write: Write, capsys: Capsys) -> None:
    write("a.yaml", GOOD, name="a")
    assert main(["check", "-c", "a.yaml", "a.yaml"]) == 0
    assert capsys.readouterr().out == "a.yaml: no problems, 2 endpoints\n"


def test_a_plugin_that_reuses_a_name_is_a_problem(
    write: Write, capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "reused_names", lambda: ["the plug-in kv_store (x:y) has the name of another"])
    assert main(["check", "-c", write("a.yaml", GOOD, name="a")]) == 5
    assert problems(capsys) == ["the plug-in kv_store (x:y) has the name of another"]


@pytest.mark.parametrize("words", [[], ["-c"], ["--live"]])
def test_without_a_file_it_is_status_2(words: list[str], capsys: Capsys) -> None:
    assert main(["check", *words]) == 2
    assert problems(capsys) == ["check needs at least one config file: dragonfly check -c FILE..."]


def test_a_broker_that_is_no_address_is_status_2(write: Write, capsys: Capsys) -> None:
    assert main(["check", "-c", write("a.yaml", GOOD, name="a"), "-b", "http://host"]) == 2
    assert "http://" in capsys.readouterr().err


def test_an_environment_that_names_no_address_hides_no_problem(
    write: Write, capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRAGONFLY_BROKER", "http://q")
    bad, good = write("bad.yaml", BAD), write("good.yaml", GOOD, name="a")
    other = write("other.yaml", GOOD, name="b")
    assert main(["check", "-c", bad, good, other]) == 5
    out, err = capsys.readouterr()
    assert out == "good.yaml: no problems, 2 endpoints\nother.yaml: no problems, 2 endpoints\n"
    found = [line.partition(" -> ")[2] for line in err.splitlines()]
    assert [text.split(" ")[0] for text in found[:3]] == ["bad.yaml:3:", "bad.yaml:5:", "bad.yaml:6:"]
    assert len(found) == 4 and "http://" in found[3]
    assert main(["check", "-c", good, "--live"]) == 2
    assert main(["check", "-c", bad, good, "-b", "http://q"]) == 5
    write("here.yaml", "broker: localhost\n" + GOOD.lstrip(), name="c")
    assert main(["check", "-c", "here.yaml"]) == 0  # nobody asks the environment


def test_a_mesh_that_cannot_be_asked_hides_no_problem(write: Write, capsys: Capsys) -> None:
    away = write("away.yaml", "broker: 127.0.0.1:1\n" + GOOD.lstrip(), name="a")
    also = write("also.yaml", "broker: 127.0.0.1:1\n" + GOOD.lstrip(), name="b")
    assert main(["check", "--live", "-c", away, also, write("bad.yaml", BAD)]) == 5
    out, err = capsys.readouterr()
    found = [line.partition(" -> ")[2] for line in err.splitlines()]
    bad = ["bad.yaml:3:", "bad.yaml:5:", "bad.yaml:6:"]
    assert [text.split(" ")[0] for text in found] == [*bad, "away.yaml:", "also.yaml:"]
    assert "its names are not looked for: " in found[3]
    assert out == ""


def test_a_mesh_that_cannot_be_asked_is_status_3(write: Write, capsys: Capsys) -> None:
    file = write("a.yaml", GOOD, name="a")
    assert main(["check", "-c", file, "--live", "-b", "127.0.0.1:1"]) == 3
    assert main(["check", "-c", file, "-b", "127.0.0.1:1"]) == 0  # it is not asked

"""dragonfly check --live: who has the names of a file already."""

from __future__ import annotations

from pathlib import Path

import pytest

from dragonfly.cli import main
from dragonfly.core.exceptions import DriplineTimeoutError
from dragonfly.testing import Mesh
from tests.mesh.program import Program
from tests.waiting import wait_until

FILE = """
name: my_store
endpoints:
  - {name: peaches, module: kv_store_key}
  - {name: chips, module: kv_store_key}
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "lab.yaml"
    path.write_text(FILE, encoding="utf-8")
    return str(path)


def test_names_that_nobody_has_are_free(mesh: Mesh, file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "-c", file, "--live", "-b", mesh.address]) == 0
    assert capsys.readouterr() == (f"{file}: no problems, 2 endpoints\n", "")


def test_names_that_somebody_has_are_told_with_their_owner(
    mesh: Mesh, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    mesh.serve("name: other\nendpoints: [{name: chips, module: kv_store_key}]\n")
    before = mesh.client.get("other.statistics").payload["requests_ok"]
    assert main(["check", "-c", file, "--live", "-b", mesh.address]) == 6
    out, err = capsys.readouterr()
    assert out == ""
    assert f"-> {file}: chips is already served by other of " in err
    assert len(err.splitlines()) == 1
    # The questions are such as a service asks when it starts: they are not counted.
    assert mesh.client.get("other.statistics").payload["requests_ok"] == before + 1


def test_the_other_meshes_are_asked_where_one_cannot_be(
    mesh: Mesh, file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    away = tmp_path / "away.yaml"
    away.write_text(f"broker: 127.0.0.1:1\n{FILE.lstrip()}", encoding="utf-8")
    here = tmp_path / "here.yaml"
    here.write_text(f"broker: '{mesh.address}'\n{FILE.lstrip()}", encoding="utf-8")
    assert main(["check", "--live", "-c", str(away), str(here)]) == 3
    out, err = capsys.readouterr()
    assert out == f"{here}: no problems, 2 endpoints\n"
    assert f"-> {away}: its names are not looked for: " in err
    mesh.serve("name: other\nendpoints: [{name: chips, module: kv_store_key}]\n")
    assert main(["check", "--live", "-c", str(away), str(here)]) == 6
    err = capsys.readouterr().err
    assert f"{here}: chips is already served by other of " in err
    assert len(err.splitlines()) == 2


def test_a_name_that_somebody_hears_and_nobody_answers_is_a_warning(
    mesh: Mesh, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A monitor of requests takes what is sent to a name, and so no broker says that nobody has it."""

    def is_heard() -> bool:
        try:
            mesh.client.cmd("peaches", "ping", timeout=0.2)
        except DriplineTimeoutError:
            return True
        return False

    with Program(mesh.address, "monitor", "-e", "requests", "-k", "peaches.#"):
        assert wait_until(is_heard, 20.0)
        assert main(["check", "-c", file, "--live", "-b", mesh.address]) == 0
    out, err = capsys.readouterr()
    assert out == f"{file}: no problems, 2 endpoints\n"
    (line,) = err.splitlines()
    assert "[WARNING ]" in line
    assert line.endswith(
        f"-> {file}: somebody receives what is sent to peaches and does not answer within 1 s: "
        "a service that hangs, or a monitor of requests"
    )


def test_many_names_of_one_owner_are_one_sentence(
    mesh: Mesh, file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    many = "name: many\nendpoints:\n" + "".join(f"  - {{name: k{n}, module: kv_store_key}}\n" for n in range(9))
    path = tmp_path / "many.yaml"
    path.write_text(many, encoding="utf-8")
    mesh.serve(path)
    assert main(["check", "-c", str(path), file, "--live", "-b", mesh.address]) == 6
    err = capsys.readouterr().err
    assert f"{path}: many, k0, k1 and 7 more names are already served by many of " in err
    assert len(err.splitlines()) == 1

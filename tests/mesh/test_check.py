"""dragonfly check --live: who has the names of a file already."""

from __future__ import annotations

from pathlib import Path

import pytest

from dragonfly.cli import main
from dragonfly.testing import Mesh

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

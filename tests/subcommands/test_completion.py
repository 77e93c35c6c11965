"""completion: the lines for a shell; tests/test_completer.py has a real bash read them."""

import subprocess

import pytest

from dragonfly.cli import main


def test_bash_takes_the_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "bash"]) == 0
    lines, err = capsys.readouterr()
    assert err == ""
    assert lines.startswith("# dragonfly at TAB; these lines belong into ~/.bashrc\n")
    done = subprocess.run(["bash", "-c", lines + "\ncomplete -p dragonfly"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(" dragonfly\n")
    assert "default" not in done.stdout  # no files where an endpoint is meant


def test_the_lines_for_zsh_register_with_its_completion(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "zsh"]) == 0
    out = capsys.readouterr().out
    assert "compdef" in out
    assert "~/.zshrc" in out


@pytest.mark.parametrize("words", [[], ["tcsh"]])
def test_another_shell_is_status_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", *words]) == 2
    assert capsys.readouterr().out == ""

"""The soak as a user runs it, for half a minute; and that its checks see what they look for."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.figures import read
from tests.soaking.asking import Asker, Report
from tests.soaking.commands import Commands
from tests.soaking.devices import TABLE
from tests.soaking.stored import Stored
from tests.soaking.violations import Violations
from tests.soaking.weather import Weather
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
SOAK = [sys.executable, "-m", "tests.soak"]


def environment(directory: Path) -> dict[str, str]:
    """Return an environment in which all temporary files are made here."""
    return {**os.environ, "TMPDIR": str(directory)}


def left_in(directory: Path) -> list[str]:
    """Return what a run left: files, and processes that it started."""
    left = [path.name for path in directory.iterdir()]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
        except OSError:  # it has ended, or is not ours
            continue
        if str(directory).encode() in words and process.name != str(os.getpid()):
            left.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode()[:100])
    return left


def table(path: Path, *rows: tuple[str, str, int, float]) -> None:
    """Store alerts: producer, boot, sequence and when it was made."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(TABLE)
        database.executemany("INSERT INTO alerts (producer, boot, sequence, at) VALUES (?, ?, ?, ?)", rows)


def account(**changes: Any) -> dict[str, Any]:
    return {"boot": "b", "sent": 3, "kept": 0, "dropped": 0, "at": 1.0, "made": {"s01_0": 3}, **changes}


@pytest.mark.rabbitmq
def test_half_a_minute_shows_no_violation_and_leaves_nothing(tmp_path: Path) -> None:
    figures, directory = tmp_path / "figures", tmp_path / "made"
    directory.mkdir()
    command = [*SOAK, "--minutes", "0.5", "--seed", "1", "--requests", "400", "--alerts", "400"]
    done = subprocess.run(
        [*command, "--figures", str(figures)],
        cwd=ROOT,
        env=environment(directory),
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"requests/s, \d+ alerts/s, \d+ faults, 0 violations", done.stdout)
    found = {figure.what: figure.value for figure in read(figures)}
    assert found["violations"] == "0"
    assert int(found["requests answered"].partition(",")[0]) > 0
    assert found["faults"] != "0 of 0 kinds"
    assert wait_until(lambda: not left_in(directory), 5), left_in(directory)


@pytest.mark.rabbitmq
def test_ctrl_c_ends_all_that_was_started(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*SOAK, "--minutes", "5"], cwd=ROOT, env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as soak:
        # Its services run, or are about to.
        assert wait_until(lambda: any(tmp_path.glob("dragonfly-soak-*/s19.yaml")), 90)
        soak.send_signal(signal.SIGINT)
        _, said = soak.communicate(timeout=60)
    assert soak.returncode == 130, said.decode()
    assert wait_until(lambda: not left_in(tmp_path), 5), left_in(tmp_path)


def test_a_command_that_runs_twice_or_late_is_seen(tmp_path: Path) -> None:
    violations = Violations()
    commands = Commands(tmp_path, violations)
    ledger = tmp_path / "s01.ledger"
    ledger.write_text("64 100.000 101.000 s01_0\n128 102.500 101.600 s01_0\n")
    commands.look()
    assert (violations.count, commands.count) == (0, 2)
    with ledger.open("a") as file:
        file.write("64 103.000 104.000 s01_0\n192 105.100 104.000 s01_1\n256 1")
    commands.look()
    first, second = violations.sentences
    assert "s01_0 ran command 64 a second time" in first
    assert "s01_1 began command 192 1.10 s after its deadline" in second


def test_a_command_that_a_stop_of_its_process_made_late_is_no_fault(tmp_path: Path) -> None:
    violations = Violations()
    commands = Commands(tmp_path, violations)
    commands.went_on("s01", 105.0)
    (tmp_path / "s01.ledger").write_text("64 105.100 101.000 s01_0\n128 105.900 101.000 s01_0\n")
    commands.look()
    assert [sentence.split(": ", 2)[2] for sentence in violations.sentences] == [
        "s01_0 began command 128 4.90 s after its deadline"
    ]


@pytest.mark.parametrize(
    ("sequences", "told", "expected"),
    [
        ([1, 2, 3], account(), ""),
        ([1, 2, 3, 3], account(), "order: s01_0: alert 3 was stored behind 3"),
        ([1, 3, 2], account(), "order: s01_0: alert 2 was stored behind 3"),
        (
            [1, 3],
            account(sent=2),
            "stored once: 1 alerts of s01 are missing (s01_0 2 to 2), and it counts 0 as dropped",
        ),
        ([1, 3], account(sent=2, dropped=1), ""),
        (
            [1, 2],
            account(),
            "says that 3 alerts were sent, 2 are stored (0 were made without an exchange): 1 are missing",
        ),
    ],
)
def test_what_is_not_stored_once_and_in_order_is_seen(
    tmp_path: Path, sequences: list[int], told: dict[str, Any], expected: str
) -> None:
    violations = Violations()
    stored = Stored(tmp_path / "alerts", violations)
    table(tmp_path / "alerts", *(("s01_0", "b", sequence, float(sequence)) for sequence in sequences))
    stored.look()
    stored.told("s01", told)
    stored.check_last()
    said = " ".join(violations.sentences)
    assert expected in said and bool(said) == bool(expected)


def test_what_was_made_while_the_exchange_was_gone_is_excused(tmp_path: Path) -> None:
    violations = Violations()
    stored = Stored(tmp_path / "alerts", violations)
    stored.windows.append((9.0, 40.0))
    table(tmp_path / "alerts", ("s01_0", "b", 1, 10.0), ("s01_0", "b", 3, 30.0), ("s01_0", "b", 4, 41.0))
    stored.look()
    stored.told("s01", account(sent=4))
    stored.check_last()
    assert violations.sentences == []


def test_a_reply_to_another_request_is_seen() -> None:
    class Reply:
        failed = False
        payload = {"target": "s01_0", "number": 64}

    report = Report()
    asker = Asker(None, 0, ["s01_0"], report)  # type: ignore[arg-type]
    reply: Any = Reply()
    asker.judge(1.0, "s01_0", {"number": 64}, reply)
    assert json.loads(report.line())["wrong"] == []
    asker.judge(1.0, "s01_0", {"number": 128}, reply)
    [wrong] = json.loads(report.line())["wrong"]
    assert "128" in wrong and "64" in wrong


def test_the_weather_tells_what_was_disturbed_when() -> None:
    weather = Weather()
    before = time.monotonic()
    weather.begin(["s01"])
    assert not weather.is_calm("s01") and weather.is_calm("s02")
    now = time.monotonic()
    assert weather.was_disturbed("s01", before, now) and not weather.was_disturbed("s02", before, now)
    weather.end("s01")
    assert weather.is_calm("s01")
    assert weather.was_disturbed("s01", before, now)
    assert not weather.was_disturbed("s01", now + 10.0, now + 20.0)

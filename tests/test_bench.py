"""The benchmarks still run, and leave nothing behind; their figures are no test."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dragonfly.broker import Broker
from tests.bench import BENCHMARKS, growth, hops
from tests.bench.comparison import Row, Target, alternate, counted, medians, table
from tests.bench.results import Run
from tests.bench.stamped_service import FIRST, LAST, NAMES, READ, Stamps
from tests.waiting import wait_until

BENCH = [sys.executable, "-m", "tests.bench"]
ON_BOTH_BROKERS = "embedded"
ROW = {"name", "unit", "names", "product", "floor", "ratio", "ratio_min", "ratio_max", "target", "reached", "rounds"}


@pytest.fixture(scope="module")
def embedded_address() -> Iterator[str]:
    with Broker() as running:
        yield running.address


def figures_of(name: str, address: str, directory: Path) -> list[dict[str, Any]]:
    """Run a benchmark briefly and return its rows."""
    figures = directory / "figures.json"
    done = subprocess.run(
        [*BENCH, name, "--brief", "--broker", address, "--json", str(figures)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    benchmarks = json.loads(figures.read_text())["benchmarks"]
    assert list(benchmarks) == [name]
    rows: list[dict[str, Any]] = benchmarks[name]["rows"]
    assert all(row["name"] in done.stdout for row in rows)
    return rows


@pytest.mark.parametrize("name", [name for name in BENCHMARKS if name != ON_BOTH_BROKERS])
def test_each_benchmark_runs_and_tells_its_figures(name: str, embedded_address: str, tmp_path: Path) -> None:
    rows = figures_of(name, embedded_address, tmp_path)
    assert rows or name == "peers", "only the peers may all be absent"
    assert all(row.keys() == ROW for row in rows)


def test_a_get_is_stamped_at_each_step_of_its_way(embedded_address: str, tmp_path: Path) -> None:
    rows = figures_of("hops", embedded_address, tmp_path)
    steps = [row["name"].partition(", ")[2] for row in rows if row["name"].startswith(hops.STEP)]
    assert steps == list(NAMES[1:]), "a function that the stamps are put around is no more on the way of a get"
    assert all(row["product"] > 0 for row in rows if row["name"].startswith(hops.STEP))


def test_growth_has_a_series_for_each_drawing(embedded_address: str, tmp_path: Path) -> None:
    run = Run({"growth": {"rows": figures_of("growth", embedded_address, tmp_path)}})
    for way in (growth.SEQUENTIAL, growth.PIPELINED):
        for what in (growth.ENDPOINTS, growth.BYTES):
            assert len(run.series("growth", way, what)) > 1
    assert len(run.series("growth", growth.AT_ONCE, growth.CLIENTS)) > 1


def test_figures_are_added_to_those_of_other_benchmarks(embedded_address: str, tmp_path: Path) -> None:
    for name in ("clients", "pipelined_get"):
        figures_of(name, embedded_address, tmp_path)
    figures = tmp_path / "figures.json"
    written = json.loads(figures.read_text())
    written["benchmarks"]["pipelined_get"]["about"] |= {"brief": False, "rounds": 7}
    before = written["benchmarks"]["pipelined_get"]
    figures.write_text(json.dumps(written))
    words = ["clients", "--brief", "--broker", embedded_address, "--json", str(figures), "--add"]
    subprocess.run([*BENCH, *words], capture_output=True, timeout=120, check=True)
    results = json.loads(figures.read_text())
    assert list(results["benchmarks"]) == ["pipelined_get", "clients"]
    kept, added = (results["benchmarks"][name] for name in ("pipelined_get", "clients"))
    assert kept == before, "the run that adds says nothing of the conditions of others"
    assert added["about"]["brief"] is True and added["about"]["rounds"] == 1 and added["about"]["server"].strip()


def stamps_at(*times: int) -> list[dict[str, int]]:
    return [{READ: time, LAST: time + 1_000} for time in times]


def test_of_the_stamps_of_a_round_those_that_warmed_up_are_left_out() -> None:
    requests = stamps_at(1, 2, 3, 11, 12, 13)
    rounds = hops.in_rounds(requests, [(0, 10), (10, 20)], count=2)
    assert [[each[READ] for each in of_round] for of_round in rounds] == [[2, 3], [12, 13]]
    with pytest.raises(RuntimeError, match="noted none for some rounds"):
        hops.in_rounds(requests, [(30, 40)], count=2)


def test_a_point_that_nothing_passes_any_more_is_left_out_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert hops.passed([stamps_at(1, 2)]) == [READ, LAST]
    assert f"no get reaches {NAMES[1]!r} any more" in capsys.readouterr().out


def test_of_a_point_that_is_passed_twice_the_first_time_counts() -> None:
    stamps = Stamps()
    stamps.written(1, 2)  # without a request
    stamps.read(3)
    stamps.reached(FIRST)
    stamps.reached("decoded")
    before = dict(stamps.now or {})
    stamps.reached("decoded")
    assert stamps.now == before and "decoded" in before
    stamps.written(4, 5)
    assert [(each[READ], each[LAST], "decoded" in each) for each in stamps.requests] == [(3, 5, True)]


@pytest.mark.rabbitmq
def test_the_embedded_broker_is_compared_with_rabbitmq(broker: Any, tmp_path: Path) -> None:
    rows = figures_of(ON_BOTH_BROKERS, broker.address, tmp_path)
    assert rows and all(row["names"] == ["embedded", "other"] for row in rows)


def children_of(pid: int) -> set[int]:
    """Return the processes that a process has started."""
    return {int(child) for path in Path(f"/proc/{pid}/task").glob("*/children") for child in path.read_text().split()}


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not Path(f"/proc/self/task/{os.getpid()}/children").exists(), reason="Linux tells no children here")
@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_benchmark_that_is_ended_leaves_no_process(embedded_address: str, sent: signal.Signals, status: int) -> None:
    words = ["pipelined_get", "--rounds", "1000", "--broker", embedded_address]
    with subprocess.Popen(
        [*BENCH, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    ) as bench:
        try:
            assert wait_until(lambda: len(children_of(bench.pid)) == 2, timeout=30.0), "the service and the echo"
            children = children_of(bench.pid)
            bench.send_signal(sent)
            assert bench.wait(30.0) == status, bench.stderr and bench.stderr.read()
        finally:
            bench.kill()
        assert wait_until(lambda: not any(map(is_running, children)), timeout=10.0), children


def test_one_of_something_is_in_the_singular() -> None:
    assert [counted(number, "services") for number in (1, 2, 10)] == ["1 service", "2 services", "10 services"]


def test_contenders_take_turns_and_begin_in_turn() -> None:
    turns: list[str] = []

    def run(name: str, figure: float) -> list[float]:
        turns.append(name)
        return [figure, figure, 100 * figure]

    results = alternate(3, {"ours": lambda: run("ours", 2), "theirs": lambda: run("theirs", 1)})
    assert turns == ["theirs", "ours", "ours", "theirs", "theirs", "ours"]
    assert medians(results["ours"], 10) == [20, 20, 20]


@pytest.mark.parametrize(
    ("limit", "of_ratio", "more_is_better", "reached"),
    [
        (1.5, True, False, True),
        (1.4, True, False, False),
        (1.5, True, True, True),
        (1.6, True, True, False),
        (3, False, False, True),
        (4, False, True, False),
    ],
)
def test_the_median_of_the_ratios_or_of_the_figures_decides(
    limit: float, of_ratio: bool, more_is_better: bool, reached: bool
) -> None:
    row = Row("n", "us", [3, 1, 9], [2, 2, 1], Target(limit, of_ratio), more_is_better=more_is_better)
    assert row.ratios == [1.5, 0.5, 9]
    assert row.reached is reached
    assert ("NO" in table([row])) is not reached


def test_a_figure_without_a_floor_has_no_ratio() -> None:
    row = Row("memory", "kB", [2.0], target=Target(3.0, of_ratio=False))
    assert (row.as_dict()["ratio"], row.as_dict()["floor"], row.reached) == (None, None, True)

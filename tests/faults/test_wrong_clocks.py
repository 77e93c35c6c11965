"""A caller whose clock is an hour off: what is not done is said with both clocks."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest

from dragonfly.core.interface import Interface
from dragonfly.testing import RabbitMQNode
from tests.faults.orders import BOTH_CLOCKS, CLOCK, TOPIC, Orders, let_pass, runs, serving
from tests.mesh.program import Program, dragonfly
from tests.waiting import wait_until

pytestmark = pytest.mark.rabbitmq

Measured = Callable[[str, str, str], None]

HOUR = 3_600
WRONG_CLOCK = """
import sys, time
real = time.time
time.time = lambda: real() + {error}
from dragonfly.cli import main
sys.exit(main())
"""


@pytest.fixture
def service(node: RabbitMQNode, tmp_path: Path) -> Iterator[Program]:
    """Give a service with a valve."""
    with serving(node.address, tmp_path) as program:
        yield program


def with_a_clock_wrong_by(seconds: int) -> list[str]:
    """Return what starts the command line on a machine whose clock is ahead by so much."""
    return [sys.executable, "-c", WRONG_CLOCK.format(error=seconds)]


@pytest.mark.usefixtures("service")
def test_a_caller_whose_clock_is_an_hour_behind_is_told_both_clocks(node: RabbitMQNode, tmp_path: Path) -> None:
    told = dragonfly(node.address, "set", "valve", "1", program=with_a_clock_wrong_by(-HOUR))
    assert (told.status, told.stderr.count("\n")) == (1, 1), told
    assert told.stdout == "valve->1(ret:305): {'values': [None]}\n"
    assert re.search(rf"valve: {BOTH_CLOCKS}: it was not started", told.stderr), told
    assert runs(tmp_path) == []
    with Orders(node.address, clock_error=-HOUR) as orders:
        orders.give(2, 10.0)
        check_clocks(orders.hear(2)["return_msg"], -HOUR + 10.0)


@pytest.mark.usefixtures("service")
def test_a_caller_whose_clock_is_an_hour_ahead_is_served_and_its_commands_still_do_not_wait_for_ever(
    node: RabbitMQNode, tmp_path: Path, measured: Measured
) -> None:
    served = dragonfly(node.address, "set", "valve", "1", program=with_a_clock_wrong_by(HOUR))
    assert served.status == 0, served
    with Interface(node.address) as client, Orders(node.address, HOUR) as orders, ThreadPoolExecutor(1) as pool:
        hung = pool.submit(client.get, "valve")
        assert wait_until((tmp_path / "entered").exists)
        orders.give(2, 0.5)
        orders.give(3, 10.0)
        let_pass(1.0, time.monotonic())
        (tmp_path / "open").touch()
        assert hung.result(10).retcode == 0
        orders.hear(3)
        [text] = orders.refusals()
    assert re.fullmatch(
        rf"valve: it waited 1\.\d s here, its caller only 0\.5 s \({BOTH_CLOCKS}\): it was not started", text
    )
    assert [number for number, _ in runs(tmp_path)] == [1, 3]
    measured(TOPIC, "a caller's clock is an hour ahead, and its set waited for longer than it", text)


def check_clocks(text: str, expected: float) -> None:
    """Check that the deadline by the caller's clock is so many s ahead of this machine's time, in a reply's text."""
    deadline, now = (datetime.fromisoformat(clock.replace("Z", "+00:00")) for clock in re.findall(CLOCK, text))
    assert abs((deadline - now).total_seconds() - expected) < 1.0, text

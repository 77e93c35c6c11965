"""A command runs at most once, and never starts after its caller gave up, whatever kept it on its way."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dragonfly.core.exceptions import DriplineError
from dragonfly.core.interface import Interface
from dragonfly.testing import FaultProxy, RabbitMQNode
from tests.conftest import Counts
from tests.faults.orders import BOTH_CLOCKS, TOLERANCE, TOPIC, Orders, judged, lab, let_pass, runs, serving
from tests.mesh.program import Program, serve
from tests.mesh.raw import RawClient
from tests.waiting import wait_until

pytestmark = pytest.mark.rabbitmq

Measured = Callable[[str, str, str], None]

# So long things hang, s; the timeouts of the sets lie between SHORTEST and LONGEST, s, on both sides of it.
PAUSE = 1.5
SHORTEST, LONGEST = 0.1, 4.0
SETS = 100
LAST = 1_000


@pytest.fixture
def service(node: RabbitMQNode, tmp_path: Path) -> Iterator[Program]:
    """Give a service with a valve, on the broker itself."""
    with serving(node.address, tmp_path) as program:
        yield program


@pytest.fixture
def proxy(node: RabbitMQNode) -> Iterator[FaultProxy]:
    with FaultProxy(node.address) as proxy:
        yield proxy


def check_kept_back(orders: Orders, directory: Path, pause: float) -> str:
    """Check sets that were kept on their way for so long, at least, when their reply has come; say what they did."""
    verdict = judged(directory, orders.deadlines)
    step = (LONGEST - SHORTEST) / (SETS - 1)
    # Each of these was too late, and each of those had time enough.
    assert verdict.kept_back >= (pause - TOLERANCE - SHORTEST) / step - 1
    assert verdict.run >= SETS / 4
    assert len(orders.refusals()) == verdict.kept_back
    assert all(re.search(BOTH_CLOCKS, text) for text in orders.refusals())
    return str(verdict)


@pytest.mark.usefixtures("service")
def test_a_memory_alarm_lets_no_set_through_whose_caller_gave_up(
    node: RabbitMQNode, tmp_path: Path, measured: Measured
) -> None:
    with Orders(node.address) as orders:
        orders.give_all(range(10), 10.0, 10.0)
        orders.hear(9)  # before the alarm: run
        node.ctl("set_vm_memory_high_watermark", "0")
        try:
            orders.give_all(range(10, 10 + SETS), SHORTEST, LONGEST)
            given = time.monotonic()
            assert orders.replies.keys() == set(range(10)), "the broker took messages in spite of its alarm"
            let_pass(PAUSE, given)
        finally:
            node.ctl("set_vm_memory_high_watermark", "0.4")
        orders.give(LAST, 30.0)
        orders.hear(LAST)
        verdict = judged(tmp_path, {n: d for n, d in orders.deadlines.items() if 10 <= n < 10 + SETS})
        assert verdict.run and verdict.kept_back > 20
        assert [number for number, _ in runs(tmp_path)][:10] == list(range(10))
        assert len(orders.refusals()) == verdict.kept_back
        assert all(re.search(BOTH_CLOCKS, text) for text in orders.refusals())
    measured(TOPIC, f"{SETS} sets published during a memory alarm", str(verdict))


def test_a_stopped_process_that_goes_on_runs_no_set_whose_caller_gave_up(
    node: RabbitMQNode, service: Program, tmp_path: Path, measured: Measured
) -> None:
    with Orders(node.address) as orders:
        service.process.send_signal(signal.SIGSTOP)
        orders.give_all(range(SETS), SHORTEST, LONGEST)
        given = time.monotonic()
        let_pass(PAUSE, given)
        service.process.send_signal(signal.SIGCONT)
        orders.hear(SETS - 1)
        said = check_kept_back(orders, tmp_path, PAUSE)
    measured(TOPIC, f"{SETS} sets to a service that was stopped for {PAUSE:g} s (SIGSTOP)", said)


def test_a_process_that_was_stopped_for_longer_than_its_heartbeat_runs_none_of_its_old_sets(
    node: RabbitMQNode, tmp_path: Path, measured: Measured
) -> None:
    with serve(node.address, str(lab(tmp_path, heartbeat=1))) as service, Orders(node.address) as orders:
        service.process.send_signal(signal.SIGSTOP)
        orders.give_all(range(SETS), SHORTEST, 1.0)
        given = time.monotonic()
        assert wait_until(lambda: "lab" not in node.ctl("list_queues", "name").split(), 20)
        away = time.monotonic() - given
        assert away > 1.0 + TOLERANCE
        service.process.send_signal(signal.SIGCONT)
        service.wait_for("stderr", "lab is back on the mesh")
        orders.give(LAST, 10.0)
        orders.hear(LAST)
        assert [number for number, _ in runs(tmp_path)] == [LAST]
        assert service.end().status == 0
    measured(TOPIC, f"{SETS} sets to a service stopped until the broker had dropped it", "none ran afterwards")


@pytest.mark.parametrize("direction", ["both", "from_broker", "to_broker"])
def test_a_black_hole_before_the_service_that_opens_again_lets_no_old_set_through(
    node: RabbitMQNode, proxy: FaultProxy, tmp_path: Path, measured: Measured, direction: str
) -> None:
    with serve(proxy.address, str(lab(tmp_path))) as service, Orders(node.address) as orders:
        proxy.stall(direction)
        # Where the service hears them, each has time enough.
        orders.give_all(range(SETS), SHORTEST if direction != "to_broker" else PAUSE, LONGEST)
        let_pass(PAUSE, time.monotonic())
        proxy.restore()
        orders.hear(SETS - 1)
        if direction == "to_broker":  # the service heard, and its replies were late
            verdict = judged(tmp_path, orders.deadlines)
            assert (verdict.run, verdict.kept_back) == (SETS, 0)
            said = str(verdict)
        else:
            said = check_kept_back(orders, tmp_path, PAUSE)
        assert service.end().status == 0
    measured(TOPIC, f"{SETS} sets, black hole between broker and service for {PAUSE:g} s ({direction})", said)


def test_a_black_hole_before_the_service_that_outlasts_its_heartbeat_lets_no_old_set_through(
    node: RabbitMQNode, proxy: FaultProxy, tmp_path: Path, measured: Measured
) -> None:
    with serve(proxy.address, str(lab(tmp_path, heartbeat=1))) as service, Orders(node.address) as orders:
        proxy.stall()
        orders.give_all(range(SETS), 10.0, 10.0)  # even though their time is not over
        service.wait_for("stderr", "lab comes back by itself", 15)
        proxy.restore()
        service.wait_for("stderr", "lab is back on the mesh", 15)
        orders.give(LAST, 10.0)
        orders.hear(LAST)
        judged(tmp_path, orders.deadlines)
        assert runs(tmp_path)[-1][0] == LAST
        number = len(runs(tmp_path)) - 1
        assert service.end().status == 0
    measured(
        TOPIC, f"{SETS} sets lost in a black hole that cost the service its connection", f"{number} ran, none twice"
    )


@pytest.mark.usefixtures("service")
@pytest.mark.parametrize("direction", ["both", "from_broker", "to_broker"])
def test_a_black_hole_before_the_client_that_opens_again_lets_no_old_set_through(
    node: RabbitMQNode, proxy: FaultProxy, tmp_path: Path, measured: Measured, direction: str
) -> None:
    number = 20
    timeouts = [0.5 + 0.2 * n for n in range(number)]
    with Interface(proxy.address) as client, RawClient(node.address) as witness, ThreadPoolExecutor(number) as pool:
        queue = witness.listen("witness", "requests", "valve")
        client.cmd("valve", "ping")
        proxy.stall(direction)
        began = time.monotonic()
        asked = [pool.submit(client.set, "valve", n, timeout=timeout) for n, timeout in enumerate(timeouts)]
        let_pass(PAUSE, began)
        proxy.restore()
        failed = [call.exception(10.0) for call in asked]
        client.set("valve", LAST)
        deadlines = {}
        while (seen := witness.next(queue, 0.5)) is not None:
            value = int(re.sub(rb'.*"values":\s*\[(\d+)\].*', rb"\1", seen.body))
            deadlines[value] = seen.properties.headers["deadline"] / 1000
    verdict = judged(tmp_path, deadlines)
    run = {n for n, _ in runs(tmp_path)}
    told = {n for n, error in enumerate(failed) if error is None}
    assert told <= run
    assert max(n for n, error in enumerate(failed) if isinstance(error, DriplineError)) < number // 2
    if direction == "from_broker":  # it was done, only nobody heard of it
        assert run >= set(range(number))
    else:
        assert not run & {n for n, timeout in enumerate(timeouts) if timeout < PAUSE - TOLERANCE - 0.1}
    measured(
        TOPIC,
        f"{number} sets, black hole between client and broker for {PAUSE:g} s ({direction})",
        f"{len(run & set(range(number)))} of {number} ran, each once, the latest began {verdict.latest:+.2f} s from "
        f"its deadline; {len(told)} callers were told so",
    )


@pytest.mark.usefixtures("service")
def test_a_client_that_is_gone_when_its_black_hole_opens_has_nothing_done(
    node: RabbitMQNode, proxy: FaultProxy, tmp_path: Path
) -> None:
    with Interface(proxy.address) as client:
        client.cmd("valve", "ping")
        proxy.stall("to_broker")
        with pytest.raises(DriplineError, match="no reply to set valve within 0.3 s"):
            client.set("valve", 66, timeout=0.3)
        over = time.monotonic()
    let_pass(TOLERANCE + 0.1, over)
    proxy.restore()  # what it had written flows on, though its program has closed
    proxy.wait_for(connections=0)
    with Interface(node.address) as another:
        another.set("valve", LAST)
    assert [number for number, _ in runs(tmp_path)] == [LAST]


@pytest.mark.usefixtures("service")
def test_sets_behind_a_hung_instrument_do_not_run_when_it_answers_too_late_for_them(
    node: RabbitMQNode, tmp_path: Path, measured: Measured
) -> None:
    with Interface(node.address) as client, Orders(node.address) as orders, ThreadPoolExecutor(1) as pool:
        hung = pool.submit(client.get, "valve")
        assert wait_until((tmp_path / "entered").exists)
        orders.give_all(range(SETS), SHORTEST, LONGEST)
        given = time.monotonic()
        client.cmd("valve", "ping")
        let_pass(PAUSE, given)
        (tmp_path / "open").touch()
        assert hung.result(10).payload == {"values": ["open"]}
        orders.hear(SETS - 1)
        said = check_kept_back(orders, tmp_path, PAUSE)
    measured(TOPIC, f"{SETS} sets behind a get that hung for {PAUSE:g} s", said)


def test_the_connections_cut_again_and_again_under_load_run_no_set_twice(
    node: RabbitMQNode, tmp_path: Path, measured: Measured, counts: Counts
) -> None:
    given = 0
    told: dict[int, int] = {}
    with (
        FaultProxy(node.address) as near,
        FaultProxy(node.address) as far,
        serve(far.address, str(lab(tmp_path))) as service,
        Interface(near.address) as client,
    ):
        for cut in range(counts.restarts):
            numbers = range(given, given + 500)
            replies = client.request_many((("set", "valve", number) for number in numbers), timeout=2.0)
            for number, reply in zip(numbers, replies, strict=True):
                told[number] = reply.retcode
                if number == given + 100:
                    (near, far)[cut % 2].cut()
            given += 500
            assert wait_until(lambda: pong(client))
        assert service.end().status == 0
    numbers_run = [number for number, _ in runs(tmp_path)]
    assert len(set(numbers_run)) == len(numbers_run)
    done = {number for number, retcode in told.items() if retcode == 0}
    assert done <= set(numbers_run)
    lost = len(told) - len(done)
    assert lost, "no cut hit a request in flight"
    measured(
        TOPIC,
        f"{given} sets while a connection was cut {counts.restarts} times under them",
        f"none ran twice, all {len(done)} that were answered ran, {lost} callers were told that nothing is known",
    )


def pong(client: Interface) -> bool:
    """Tell whether the service is on the mesh."""
    try:
        return client.cmd("lab", "ping", timeout=1.0).retcode == 0
    except DriplineError:
        return False

"""Faults that meet those who start: a broker that is not there yet, and names that are taken."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dragonfly.testing import FaultProxy, RabbitMQNode
from tests.faults.scenario import PATIENCE, SHORT, Record
from tests.faults.subjects import (
    FIRST_VALUE,
    QUEUE,
    VALUE,
    Archive,
    Heard,
    Subjects,
    asked,
    failure_of,
    first_time,
    is_served,
)
from tests.mesh.program import Ended, dragonfly
from tests.waiting import wait_until

# How long the broker accepts connections and does not answer, s.
SLOW = 1.0


def record_of_slow_broker(node: RabbitMQNode) -> Record:
    """Start all while nothing listens; then the broker accepts connections, and answers only after a while."""
    record = Record(value=FIRST_VALUE)
    with tempfile.TemporaryDirectory(prefix="dragonfly-faults-") as directory, Heard() as heard:
        with FaultProxy(node.address) as proxy, Subjects(proxy.address, Path(directory)) as subjects:
            proxy.refuse()
            with ThreadPoolExecutor(8) as pool:
                try:
                    _start_too_early(subjects, record, pool, proxy)
                    _come_up_slowly(subjects, record, pool, proxy, node.address)
                finally:  # the pool waits for the services
                    proxy.restore()
            record.next_get = dragonfly(proxy.address, "get", "peaches", "-b", proxy.address)
            record.next_request = asked(subjects.interface, "peaches", 10.0)
            assert subjects.store is not None
            record.ran = {"serve": subjects.store.process.poll() is None}
            record.store = subjects.store.end()
        record.said = heard.texts
        node.ctl("delete_queue", QUEUE)
    return record


def _start_too_early(subjects: Subjects, record: Record, pool: ThreadPoolExecutor, proxy: FaultProxy) -> None:
    subjects.launch()
    assert subjects.store is not None and subjects.monitor is not None
    pool.submit(subjects.mesh.serve, subjects.archive)
    subjects.lab = subjects.another_lab()
    pool.submit(subjects.mesh.serve, subjects.lab)
    record.at_start["monitor"] = subjects.monitor.wait(PATIENCE)
    record.asked_at = time.monotonic()
    record.asked_request = asked(subjects.interface, "peaches", SHORT)
    record.asked_get = _get(proxy.address)
    subjects.store.wait_for("stderr", "trying on until it is there", PATIENCE)


def _come_up_slowly(
    subjects: Subjects, record: Record, pool: ThreadPoolExecutor, proxy: FaultProxy, address: str
) -> None:
    proxy.restore()
    proxy.stall()
    slow_since = time.monotonic()
    unanswered = _get(proxy.address, 0.5)
    assert unanswered.status == 3 and "does not answer" in unanswered.stderr
    wait_until(lambda: time.monotonic() > slow_since + SLOW)
    proxy.restore()
    record.ended = time.monotonic()
    checks: dict[str, Callable[[], bool]] = {
        "serve": lambda: is_served(address, record.value),
        "interface": lambda: asked(subjects.interface, "nobody", 1.0).retcode == 102,
        "consumer": lambda: subjects.archive._life._bound.is_set(),
        "spime": lambda: subjects.lab is not None and subjects.last_archived > 0,
    }
    waits = {name: pool.submit(first_time, check, record.ended, PATIENCE) for name, check in checks.items()}
    record.back = {name: waiting.result() for name, waiting in waits.items()}


def _get(address: str, timeout: float = SHORT) -> Ended:
    return dragonfly(address, "get", "peaches", "-b", address, "--timeout", str(timeout))


def record_of_taken_names(node: RabbitMQNode) -> Record:
    """Start each service a second time."""
    record = Record()
    with tempfile.TemporaryDirectory(prefix="dragonfly-faults-") as directory:
        with Subjects(node.address, Path(directory)) as subjects:
            subjects.start()
            address = node.address
            record.at_start = {
                "serve": dragonfly(address, "serve", "-c", str(subjects.config), "-b", address),
                "consumer": failure_of(Archive(name="archive", broker=address, queue=QUEUE)),
                "spime": failure_of(subjects.another_lab()),
            }
            reply = subjects.interface.get("peaches")
            assert reply.payload["value_raw"] == VALUE, "the first service was harmed by the second"
        node.ctl("delete_queue", QUEUE)
    return record

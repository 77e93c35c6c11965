"""Interface.request_many: gets from the bare echo, up to 1,000 on their way at a time, replies decoded and in order.

Floor: a client in bare pika (SelectConnection) that does the same; each client is a process of its own.
Target: at least 0.9 x the floor.
Command: python -m tests.bench request_many
"""

from __future__ import annotations

from tests.bench.children import worker
from tests.bench.comparison import Row, Target, alternate, medians
from tests.bench.servers import ECHO_TARGET, echo_service
from tests.bench.setting import Setting


def run(setting: Setting) -> list[Row]:
    """Return the rows of this benchmark."""
    address, count = setting.address, str(setting.sized(10_000, 1_200))
    with (
        echo_service(address),
        worker(client_words(address, ECHO_TARGET)) as product,
        worker(["-m", "tests.bench.bare_many", address, ECHO_TARGET]) as bare,
    ):
        results = alternate(
            setting.rounds, {"product": lambda: [product.ask(count)], "bare pika": lambda: [bare.ask(count)]}
        )
    ours, floor = (medians(samples) for samples in results.values())
    return [Row("request_many / bare pika client", "/s", ours, floor, Target(0.9), more_is_better=True)]


def client_words(address: str, target: str) -> list[str]:
    """Return the command line of a worker that gives the rate of so many gets."""
    return ["-m", "tests.bench.many_client", address, target]

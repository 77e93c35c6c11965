"""From the start of a service's process until every one of its endpoints answers; what they cost; the end.

Floor: bare pika, which declares as many bindings with nowait and answers them all.
Target: with 10,000 endpoints at most 1.3 x the floor, and 1.5 s more; own memory at most 3 kB an endpoint; a service
with three endpoints at most 1.3 x the bare echo's memory; a get costs as much with 10,000 endpoints as with 10 (at most
1.1 x, since no two measurements agree). All else is reported only, and so is all with 100,000 endpoints (one round).
Command: python -m tests.bench start_up
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.bench.children import child, stop_child
from tests.bench.comparison import MS, US, Row, Samples, Target, alternate
from tests.bench.configs import key_names, write_config
from tests.bench.load import LoadGenerator
from tests.bench.servers import BenchBroker, echo_words, serve_words, wait_until_it_answers
from tests.bench.setting import Setting
from tests.bench.usage import own, resident
from tests.bench.wire import Returned

_HUGE = 100_000
_ALLOWANCE = 1.5  # s
_WEIGHS_BROKER_FROM = 10_000
_GETS = 200
_PATIENCE = 600.0
_POLL_SECONDS = 0.005
# A request that comes just before its queue is deleted is never answered.
_GONE_PATIENCE = 2.0


class _Sizes(NamedTuple):
    """Numbers of endpoints: whose memory is compared, what a get costs less with if ever, and all that are measured.

    What has a target is about the last of all.
    """

    small: int
    few: int
    all: tuple[int, ...]


_SIZES, _BRIEF_SIZES = _Sizes(3, 10, (3, 10, 1_000, 10_000)), _Sizes(3, 3, (3, 40))


class Life(NamedTuple):
    """What one start and stop of a service came to: times in s, memory in kB."""

    ready: float
    stop: float
    resident: float
    own: float
    broker: float
    get: float


class Lives(NamedTuple):
    """The lives of the product's service and of the floor, one a round."""

    product: list[Life]
    floor: list[Life]

    def row(self, name: str, unit: str, field: str, scale: float = 1.0, target: Target | None = None) -> Row:
        """Return the row of one of the figures."""
        product, floor = ([scale * getattr(life, field) for life in lives] for lives in self)
        return Row(name, unit, product, floor, target)


def run(setting: Setting) -> list[Row]:
    """Return the rows of this benchmark."""
    sizes = setting.sized(_SIZES, _BRIEF_SIZES)
    lives = {size: _lives(setting.broker, size, setting.rounds) for size in sizes.all}
    if not setting.brief:
        lives |= _huge(setting.broker)
    small, few, many = sizes.small, sizes.few, sizes.all[-1]
    rows = [lives[small].row(f"memory, {small} endpoints / bare echo", "kB", "resident", target=Target(1.3))]
    for size in lives:
        rows += [
            lives[size].row(f"start-up until all answer, {size} endpoints", "ms", "ready", MS),
            lives[size].row(f"clean stop, {size} endpoints", "ms", "stop", MS),
            lives[size].row(f"a get, {size} endpoints", "us", "get", US),
        ]
        if size >= _WEIGHS_BROKER_FROM and setting.broker.memory is not None:
            rows.append(lives[size].row(f"memory of the broker, {size} endpoints", "kB", "broker"))
    return rows + _rows_with_targets(lives[few], lives[many], few, many)


def _huge(broker: BenchBroker) -> dict[int, Lives]:
    """Return what is reported only, where it comes to anything: it takes minutes, and nothing hangs on it."""
    try:
        return {_HUGE: _lives(broker, _HUGE, rounds=1)}
    except (RuntimeError, OSError) as err:
        print(f"start_up: {_HUGE} endpoints: {err}")
        return {}


def _rows_with_targets(of_few: Lives, of_many: Lives, few: int, many: int) -> list[Row]:
    ready = of_many.row("", "", "ready", MS)
    less = [max(0.0, whole - MS * _ALLOWANCE) for whole in ready.product]
    pairs = zip(of_few.product, of_many.product, strict=True)
    each = [(large.own - small.own) / (many - few) for small, large in pairs]
    get_of_many, get_of_few = ([US * life.get for life in one.product] for one in (of_many, of_few))
    return [
        Row(f"start-up beyond {_ALLOWANCE} s, {many} endpoints", "ms", less, ready.floor, Target(1.3)),
        Row(f"own memory of each of {many} endpoints", "kB", each, target=Target(3.0, of_ratio=False)),
        Row(
            f"a get with {many} endpoints / with {few}",
            "us",
            get_of_many,
            get_of_few,
            Target(1.1),
            (f"{many}", f"{few}"),
        ),
    ]


def _lives(broker: BenchBroker, size: int, rounds: int) -> Lives:
    with tempfile.TemporaryDirectory() as directory:
        results = alternate(
            rounds,
            {
                "product": partial(product_life, broker, size, Path(directory)),
                "floor": partial(_floor_life, broker, size, Path(directory)),
            },
        )
    product, floor = ([Life(*samples) for samples in each] for each in results.values())
    return Lives(product, floor)


def product_life(broker: BenchBroker, size: int, directory: Path) -> Samples:
    """Return the life of a service with so many endpoints; its config file goes to a directory."""
    config, keys = directory / f"{size}.yaml", key_names("many", size)
    write_config(config, "many", keys, {"initial_value": 1.5}, {})
    return list(_life(broker, serve_words(broker.address, str(config)), keys))


def _floor_life(broker: BenchBroker, size: int, directory: Path) -> Samples:
    bindings, keys = directory / f"{size}.txt", key_names("bare", size)
    # As many as the product's service has; nobody asks for those beyond the endpoints.
    names = write_config(directory / "unused.yaml", "bare", keys, {}, {})
    bindings.write_text("\n".join([*key_names("bare_other", names - size), *keys]))
    return list(_life(broker, echo_words(broker.address, "--name", "bare", "--bindings", str(bindings)), keys))


def _life(broker: BenchBroker, words: list[str], targets: list[str]) -> Life:
    weighs = broker.memory if len(targets) >= _WEIGHS_BROKER_FROM else None
    before = weighs() if weighs else 0.0
    begin = time.perf_counter()
    with gone_afterwards(broker.address, targets), child(words) as process:
        wait_until_all_answer(broker.address, targets, process)
        ready = time.perf_counter() - begin
        with LoadGenerator(broker.address) as generator:
            get = median(generator.times(targets[0], _GETS))
        memory = resident(process.pid), own(process.pid)
        of_broker = weighs() - before if weighs else 0.0
        begin = time.perf_counter()
        stop_child(process)
        return Life(ready, time.perf_counter() - begin, *memory, of_broker, get)


def wait_until_all_answer(address: str, targets: list[str], process: subprocess.Popen[bytes]) -> None:
    """Wait until a service answers for all of its targets."""
    wait_until_it_answers(address, targets[-1], process, _PATIENCE)
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            with LoadGenerator(address) as generator:
                generator.rate(targets, len(targets))
            return
        except (Returned, TimeoutError) as err:
            if time.monotonic() > deadline:
                raise RuntimeError(f"not all of {len(targets)} endpoints answer after {_PATIENCE:g} s") from err
            time.sleep(_POLL_SECONDS)


@contextmanager
def gone_afterwards(address: str, targets: list[str]) -> Iterator[None]:
    """Wait until the broker has let go of a service that ended: that takes its time, too."""
    yield
    deadline = time.monotonic() + _PATIENCE
    for target in (targets[0], targets[-1]):
        while _is_bound(address, target):
            if time.monotonic() > deadline:
                raise RuntimeError(f"{target} is still bound {_PATIENCE:g} s after its service ended")
            time.sleep(_POLL_SECONDS)


def _is_bound(address: str, target: str) -> bool:
    try:
        with LoadGenerator(address, _GONE_PATIENCE) as generator:
            generator.ask(target)
    except Returned:
        return False
    except TimeoutError:
        return True
    return True

"""Other systems at the same work: a value from a server, one request in flight, and 1,000.

aio-pika RPC is driven by the load generator, as our service is. caproto and PyTango (no database) have no broker,
and wires of their own: they are driven by their own clients, and compared with our client, and with our service under
the load generator. Each runs only where it is installed; a line says which are not.
Floor: the peer.
Target: pipelined, more than aio-pika; the others are reported (aim: above both).
Command: python -m tests.bench peers
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from subprocess import PIPE
from typing import NamedTuple

from tests.bench import pipelined_get, sequential_get
from tests.bench.children import Worker, child, wait_for_line, worker
from tests.bench.comparison import US, Measure, Row, Samples, Target, alternate, medians
from tests.bench.load import LoadGenerator, Request
from tests.bench.request_many import client_words
from tests.bench.servers import PRODUCT_TARGET, RABBITMQ_PRODUCT, product_service
from tests.bench.setting import Setting

AIO_PIKA_TARGET = "bench_aio_pika"
_AIO_PIKA_REQUEST = Request(b"{}", good=b'"value_cal": 1.5', exchange="")
_WARM_UP = 500


class _Peer(NamedTuple):
    """A peer without a broker: its name, the package it is in, and its program here."""

    name: str
    package: str
    program: str


_WITHOUT_BROKER = (
    _Peer("caproto", "caproto", "tests.bench.peer_caproto"),
    _Peer("PyTango", "tango", "tests.bench.peer_tango"),
)


def run(setting: Setting) -> list[Row]:
    """Return the rows of this benchmark."""
    rows: list[Row] = []
    with product_service(setting.address), worker(client_words(setting.address, PRODUCT_TARGET)) as client:
        if _is_installed("aio_pika", "aio-pika") and _has_all_exchanges(setting.address):
            rows += _against_aio_pika(setting)
        for peer in _WITHOUT_BROKER:
            if _is_installed(peer.package, peer.name):
                rows += _against(peer, client, setting)
    return rows


def _is_installed(package: str, name: str) -> bool:
    if find_spec(package) is not None:
        return True
    print(f"peers: {name} is not installed")
    return False


def _has_all_exchanges(address: str) -> bool:
    with LoadGenerator(address) as generator:
        if generator.broker_product == RABBITMQ_PRODUCT:
            return True
    print("peers: aio-pika RPC needs RabbitMQ: it declares an exchange of type headers")
    return False


def _against_aio_pika(setting: Setting) -> list[Row]:
    address, one, many = setting.address, setting.sized(1_000, 50), setting.sized(5_000, 500)
    with child(["-m", "tests.bench.peer_aio_pika", address, AIO_PIKA_TARGET], stdout=PIPE) as process:
        wait_for_line(process.stdout, "ready")
        results = alternate(
            setting.rounds,
            {
                "service": lambda: sequential_get.times(address, PRODUCT_TARGET, one),
                "peer": lambda: _aio_pika_times(address, one),
                "service, pipelined": lambda: pipelined_get.rate(address, PRODUCT_TARGET, many),
                "peer, pipelined": lambda: _aio_pika_rate(address, many),
            },
        )
    service, peer, many_service, many_peer = results.values()
    rate, peer_rate = medians(many_service), medians(many_peer)
    return [
        Row("sequential get, service / aio-pika RPC", "us", medians(service, US), medians(peer, US)),
        Row("pipelined get, service / aio-pika RPC", "/s", rate, peer_rate, Target(1.0), more_is_better=True),
    ]


def _aio_pika_times(address: str, count: int) -> Samples:
    with LoadGenerator(address) as generator:
        return generator.times(AIO_PIKA_TARGET, count, _AIO_PIKA_REQUEST)


def _aio_pika_rate(address: str, count: int) -> Samples:
    with LoadGenerator(address) as generator:
        generator.rate(AIO_PIKA_TARGET, min(count, _WARM_UP), _AIO_PIKA_REQUEST)
        return [generator.rate(AIO_PIKA_TARGET, count, _AIO_PIKA_REQUEST)]


def _against(peer: _Peer, client: Worker, setting: Setting) -> list[Row]:
    one, many = f"one {setting.sized(1_000, 50)}", str(setting.sized(5_000, 500))
    with _served(peer) as its_client:
        contenders: dict[str, Measure] = {
            "client": lambda: [client.ask(one)],
            "peer": lambda: [its_client.ask(one)],
            "client, pipelined": lambda: [client.ask(many)],
            "peer, pipelined": lambda: [its_client.ask(many)],
            "service, pipelined": lambda: pipelined_get.rate(setting.address, PRODUCT_TARGET, int(many)),
        }
        results = {name: medians(samples) for name, samples in alternate(setting.rounds, contenders).items()}

    def row(what: str, ours: str, theirs: str) -> Row:
        return Row(f"{what} / {peer.name}", "/s", results[ours], results[theirs], more_is_better=True)

    return [
        row("sequential get, client and service", "client", "peer"),
        row("request_many, client and service", "client, pipelined", "peer, pipelined"),
        row("pipelined get, service", "service, pipelined", "peer, pipelined"),
    ]


@contextmanager
def _served(peer: _Peer) -> Iterator[Worker]:
    """Give a client of the peer, whose server runs."""
    with child(["-m", peer.program, "serve"], stdout=PIPE) as process:
        place = wait_for_line(process.stdout, "ready").split()[1]
        with worker(["-m", peer.program, "ask", place]) as client:
            yield client

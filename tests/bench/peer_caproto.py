"""caproto's server and its threading client, on loopback alone.

python -m tests.bench.peer_caproto serve    says `ready PORT,REPEATER_PORT`
python -m tests.bench.peer_caproto ask PORT,REPEATER_PORT    a worker
"""

from __future__ import annotations

import os
import sys
import threading

from dragonfly.testing.processes import free_ports
from tests.bench.answering import answer_lines
from tests.bench.load import IN_FLIGHT

_NAME = "bench_caproto:value"
_PATIENCE = 30.0


def _stay_on_loopback(ports: str) -> None:
    """Tell caproto, which asks the environment, where it may be."""
    port, repeater_port = ports.split(",")
    os.environ |= {
        "EPICS_CA_ADDR_LIST": "127.0.0.1",
        "EPICS_CA_AUTO_ADDR_LIST": "NO",
        "EPICS_CA_SERVER_PORT": port,
        "EPICS_CA_REPEATER_PORT": repeater_port,
        "EPICS_CAS_SERVER_PORT": port,
        "EPICS_CAS_INTF_ADDR_LIST": "127.0.0.1",
        "EPICS_CAS_AUTO_BEACON_ADDR_LIST": "NO",
        "EPICS_CAS_BEACON_ADDR_LIST": "",  # no beacons: nobody would hear them
    }


def serve() -> None:
    """Serve one value until the process is ended."""
    ports = ",".join(map(str, free_ports(2)))
    _stay_on_loopback(ports)
    from caproto.server import PVGroup, pvproperty, run

    class Values(PVGroup):
        value = pvproperty(value=1.5, name=_NAME)

    print(f"ready {ports}", flush=True)  # a client searches until it is really so
    run(Values(prefix="").pvdb, interfaces=["127.0.0.1"], log_pv_names=False)


def ask(ports: str) -> None:
    """Answer lines until there are no more."""
    _stay_on_loopback(ports)
    from caproto.threading.client import Context

    context = Context()
    (value,) = context.get_pvs(_NAME)
    value.wait_for_connection(timeout=_PATIENCE)

    def many(count: int) -> None:
        room, all_came, missing = threading.Semaphore(IN_FLIGHT), threading.Event(), [None] * count

        def came(_reading: object) -> None:
            room.release()
            missing.pop()
            if not missing:
                all_came.set()

        for _ in range(count):
            room.acquire()
            value.read(wait=False, callback=came)
        if not all_came.wait(_PATIENCE):
            raise RuntimeError(f"{len(missing)} of {count} values did not come")

    def one_by_one(count: int) -> None:
        for _ in range(count):
            value.read()

    answer_lines(many, one_by_one)
    context.disconnect()


if __name__ == "__main__":
    serve() if sys.argv[1] == "serve" else ask(sys.argv[2])

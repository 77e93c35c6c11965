"""The faults: how each comes, and how it goes."""

from __future__ import annotations

import threading
import time

from dragonfly.testing import FaultProxy, RabbitMQNode
from dragonfly.testing.rabbitmq import answers_amqp
from tests.faults.hurried import HURRIED, hurried
from tests.faults.subjects import HEARTBEAT, QUEUE, Archive, Subjects, failure_of
from tests.mesh.program import DRAGONFLY, Ended, dragonfly
from tests.waiting import wait_until


class Fault:
    """A fault of a broker, or of the line to it.

    Args:
        node: the broker.
    """

    # Whether it lasts, so that clients can ask meanwhile.
    lasts = False
    # How long the requests wait that are on their way when it comes, s.
    flight_timeout = 30.0
    # How long everybody has to come back, s.
    patience = 20.0
    # How long what was kept has to arrive after that, s.
    rest = 12.0
    # The command line of serve and monitor.
    program = DRAGONFLY

    def __init__(self, node: RabbitMQNode) -> None:
        self.node = node

    def __enter__(self) -> Fault:
        return self

    def __exit__(self, *args: object) -> None:
        """Leave the broker as it was."""

    @property
    def address(self) -> str:
        """Where the subjects find the broker."""
        return self.node.address

    @property
    def open_address(self) -> str:
        """Where the broker is found past the fault."""
        return self.node.address

    def begin(self) -> None:
        """Have it come."""

    def go_on(self, subjects: Subjects) -> dict[str, Ended | Exception | None]:
        """Let it last, after clients have asked; return what became of others that were started."""
        return {}

    def end(self) -> float:
        """Have it go; return when it was over (monotonic, s)."""
        return time.monotonic()

    def clean_up(self) -> None:
        """Remove the durable queue."""
        self.node.ctl("delete_queue", QUEUE)


class LineFault(Fault):
    """A fault of the line: the subjects connect through a proxy."""

    def __init__(self, node: RabbitMQNode) -> None:
        super().__init__(node)
        self.proxy = FaultProxy(node.address)

    def __enter__(self) -> Fault:
        self.proxy.start()
        return self

    def __exit__(self, *args: object) -> None:
        self.proxy.close()

    @property
    def address(self) -> str:
        return self.proxy.address


class BrokerFault(Fault):
    """A fault of the broker itself, which is there again afterwards, come what may."""

    lasts = True

    def __exit__(self, *args: object) -> None:
        if not answers_amqp(self.node.port):
            self.end()


class Restart(BrokerFault):
    """RabbitMQ is stopped in good order and started; its Erlang node stays."""

    def begin(self) -> None:
        self.node.ctl("stop_app")

    def end(self) -> float:
        starting = threading.Thread(target=self.node.ctl, args=("start_app",))
        starting.start()
        assert wait_until(lambda: answers_amqp(self.node.port), 30.0)
        ended = time.monotonic()
        starting.join()
        return ended


class Kill(BrokerFault):
    """RabbitMQ is killed with SIGKILL and started again."""

    def begin(self) -> None:
        # A queue that is younger than a second or so is lost with the broker, whatever that has confirmed.
        self.node.ctl("eval", "mnesia:sync_log().")
        self.node.kill()

    def end(self) -> float:
        self.node.start()
        return time.monotonic()


class Cut(LineFault):
    """All connections are reset."""

    def begin(self) -> None:
        self.proxy.cut()


class HalfOpen(LineFault):
    """The programs lose their connections, and the broker does not hear of it."""

    def begin(self) -> None:
        self.proxy.half_open()


class Stall(LineFault):
    """Nothing comes through for so long that the broker gives up those whose heartbeat is short."""

    lasts = True
    flight_timeout = 4.0

    def begin(self) -> None:
        self.proxy.stall()
        self._began = time.monotonic()

    def go_on(self, subjects: Subjects) -> dict[str, Ended | Exception | None]:
        assert wait_until(lambda: time.monotonic() - self._began > 3.5 * HEARTBEAT, 60.0)
        return {}

    def end(self) -> float:
        self.proxy.restore()
        return time.monotonic()


class ExchangeMadeAgain(Fault):
    """Both exchanges are deleted and declared again by somebody else; everybody looks after bindings every second."""

    flight_timeout = 4.0
    program = HURRIED

    def __enter__(self) -> Fault:
        self._hurried = hurried()
        self._hurried.__enter__()
        return self

    def __exit__(self, *args: object) -> None:
        self._hurried.__exit__(None, None, None)

    def begin(self) -> None:
        for name in ("requests", "alerts"):
            resource = f'rabbit_misc:r(<<"/">>, exchange, <<"{name}">>)'
            delete = f"rabbit_exchange:delete({resource}, false, <<>>)"
            declare = f"rabbit_exchange:declare({resource}, topic, false, false, false, [], <<>>)"
            self.node.ctl("eval", f"{delete}, {declare}.")


class QueuesDeleted(Fault):
    """All queues are deleted."""

    def begin(self) -> None:
        self.node.ctl("eval", "[catch rabbit_amqqueue:delete(Q, false, false, <<>>) || Q <- rabbit_amqqueue:list()].")


class ChannelsClosed(Fault):
    """The broker closes all channels with an error, and keeps the connections."""

    def begin(self) -> None:
        # An acknowledgement of a message that was never delivered is an error of its channel alone (406).
        acknowledge = "rabbit_channel:do(Channel, {'basic.ack', 424242, false})"
        self.node.ctl("eval", f"[{acknowledge} || Channel <- rabbit_channel:list()].")


class Refused(Fault):
    """The user's password is changed, and his connections are closed."""

    lasts = True
    user, password = "worker", "secret"

    def __enter__(self) -> Fault:
        self.node.ctl("add_user", self.user, self.password)
        self.node.ctl("set_permissions", self.user, ".*", ".*", ".*")
        return self

    def __exit__(self, *args: object) -> None:
        self.node.ctl("delete_user", self.user)

    @property
    def address(self) -> str:
        return f"amqp://{self.user}:{self.password}@{self.node.address}/"

    def begin(self) -> None:
        self.node.ctl("change_password", self.user, "another")
        self.node.ctl("close_all_user_connections", self.user, "a test")

    def go_on(self, subjects: Subjects) -> dict[str, Ended | Exception | None]:
        address = self.address
        words = {"serve": ["serve", "-c", str(subjects.config), "-b", address], "monitor": ["monitor", "-b", address]}
        ended: dict[str, Ended | Exception | None] = {
            subject: dragonfly(address, *line) for subject, line in words.items()
        }
        another = Archive(name="another", broker=address, queue="another_alerts")
        return {**ended, "consumer": failure_of(another), "spime": failure_of(subjects.another_lab())}

    def end(self) -> float:
        self.node.ctl("change_password", self.user, self.password)
        return time.monotonic()


class Alarm(Fault):
    """The broker is low on memory and takes no messages."""

    lasts = True
    flight_timeout = 6.0

    def begin(self) -> None:
        self.node.ctl("set_vm_memory_high_watermark", "0")

    def end(self) -> float:
        self.node.ctl("set_vm_memory_high_watermark", "0.4")
        return time.monotonic()

    def __exit__(self, *args: object) -> None:
        self.node.ctl("set_vm_memory_high_watermark", "0.4")


class NodeDies(Fault):
    """Of two nodes of a cluster, the one that all are connected to is killed, and stays away.

    Args:
        node: the one that dies.
        other: the one that lives on.
    """

    def __init__(self, node: RabbitMQNode, other: RabbitMQNode) -> None:
        super().__init__(node)
        self.other = other

    @property
    def address(self) -> str:
        return f"{self.node.address},{self.other.address}"

    @property
    def open_address(self) -> str:
        return self.other.address

    def __enter__(self) -> Fault:
        self.other.ctl("set_policy", "twice", f"^{QUEUE}$", '{"ha-mode": "all"}', "--apply-to", "queues")
        return self

    def begin(self) -> None:
        self.node.kill()

    def clean_up(self) -> None:
        """Leave it: the nodes are used once."""

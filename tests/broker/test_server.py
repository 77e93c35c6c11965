"""The broker with real clients: pika's, and bare sockets."""

from __future__ import annotations

import gc
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pika
import pika.exceptions
import pytest
from pika import spec

from dragonfly.broker import Broker
from dragonfly.broker.memory import Memory
from dragonfly.broker.queue import Queue
from dragonfly.broker.session import Session
from tests.broker.wire_client import WireClient, connect, shown
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 5.0


def open_handles() -> int:
    """Return how many files and sockets this process has open, where the system tells."""
    handles = Path("/proc/self/fd")
    return len(list(handles.iterdir())) if handles.exists() else 0


def alive(*kinds: type) -> int:
    gc.collect()
    return sum(isinstance(thing, kinds) for thing in gc.get_objects())


def test_a_pika_client_gets_what_it_publishes() -> None:
    with Broker() as broker, pika.BlockingConnection(pika.URLParameters(broker.url)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.exchange_declare("requests", "topic")
        queue = channel.queue_declare("", exclusive=True).method.queue
        channel.queue_bind(queue, "requests", "peaches.#")
        properties = pika.BasicProperties(headers={"a": [1]}, delivery_mode=2, expiration="1000")
        channel.basic_publish("requests", "peaches.x", b"body", properties, mandatory=True)
        with pytest.raises(pika.exceptions.UnroutableError):
            channel.basic_publish("requests", "peachesx", b"body", mandatory=True)
        _, received, body = next(channel.consume(queue, auto_ack=True, inactivity_timeout=PATIENCE))
        assert (received, body) == (properties, b"body")
        channel.cancel()


def test_a_body_of_many_frames_arrives_whole() -> None:
    body = bytes(range(256)) * 20_000
    with Broker() as broker, pika.BlockingConnection(pika.URLParameters(broker.url)) as connection:
        channel = connection.channel()
        queue = channel.queue_declare("", exclusive=True).method.queue
        channel.basic_publish("", queue, body)
        _, _, received = next(channel.consume(queue, auto_ack=True, inactivity_timeout=PATIENCE))
        assert received == body
        channel.cancel()


def test_another_user_needs_the_password() -> None:
    with Broker(user="someone", password="p@ss/word") as broker:
        pika.BlockingConnection(pika.URLParameters(broker.url)).close()
        with pytest.raises(pika.exceptions.ProbableAuthenticationError):
            pika.BlockingConnection(pika.URLParameters(f"amqp://guest:guest@{broker.address}/"))


@pytest.mark.parametrize(("user", "password"), [("guest", "guest"), ("guest", "secret"), ("me", ""), ("me", "guest")])
def test_the_network_is_not_let_in_with_a_password_that_everybody_knows(user: str, password: str) -> None:
    with pytest.raises(ValueError, match="needs a user and a password of its own"):
        Broker("0.0.0.0", user=user, password=password)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_it_listens_where_it_is_told(host: str) -> None:
    broker = Broker(host)
    try:
        broker.start()
    except OSError:
        pytest.skip(f"this machine has no {host}")
    with broker, WireClient(broker.address.replace("[", "").replace("]", "")) as client:
        client.say_hello()


def test_a_thousand_connections_leave_nothing() -> None:
    before, with_queues, handles = alive(Session), alive(Session, Queue), open_handles()
    memory = Memory()
    with Broker(memory=memory) as broker:
        with WireClient(broker.address) as innocent:
            for number in range(10):
                clients = [connect(broker.address) for _ in range(50)]
                for client in clients[::2]:
                    client.sendall(b"AMQP\x00\x00\x09\x01"[:number])
                with ExitStack() as stack:
                    for talker in [stack.enter_context(WireClient(broker.address)) for _ in range(50)]:
                        talker.ask(spec.Queue.Declare(exclusive=True))
                        talker.say(spec.Basic.Consume(queue=""))
                for client in clients:
                    client.close()
                innocent.say_hello()
            assert wait_until(lambda: alive(Session) == before + 1)
            assert memory.used == 0
        assert wait_until(lambda: alive(Session, Queue) == with_queues)
    assert open_handles() == handles


def test_a_client_that_vanishes_frees_its_name() -> None:
    with Broker() as broker, WireClient(broker.address) as second:
        with WireClient(broker.address) as first:
            first.ask(spec.Queue.Declare(queue="name", exclusive=True))
            assert "405" in shown(second.ask(spec.Queue.Declare(queue="name", exclusive=True)))
        second.say(spec.Channel.CloseOk(), spec.Channel.Open())
        second.read()

        def is_free() -> bool:
            answer = second.ask(spec.Queue.Declare(queue="name", exclusive=True)).method
            if isinstance(answer, spec.Channel.Close):
                second.say(spec.Channel.CloseOk(), spec.Channel.Open())
                second.read()
            return isinstance(answer, spec.Queue.DeclareOk)

        assert wait_until(is_free, PATIENCE)


def test_stopping_tells_the_clients_and_frees_the_port() -> None:
    broker = Broker()
    broker.start()
    with WireClient(broker.address) as client:
        broker.stop()
        assert client.read().method.reply_code == 320
        assert client.is_closed_by_broker()
    broker.stop()
    again = Broker(port=broker.port)
    with again, WireClient(again.address) as client:
        client.say_hello()


def test_a_port_that_is_taken_is_an_error() -> None:
    with Broker() as broker, pytest.raises(OSError, match="in use"):
        Broker(port=broker.port).start()


def test_when_no_handles_are_left_it_waits_and_goes_on() -> None:
    # In a process of its own: here the limit would hit the tests.
    program = """
import resource, socket, sys
from dragonfly.broker import Broker
resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
with Broker() as broker:
    clients = []
    try:
        while True:
            clients.append(socket.create_connection(("127.0.0.1", broker.port)))
    except OSError:
        pass
    for client in clients:
        client.close()
    with socket.create_connection(("127.0.0.1", broker.port), timeout=10) as client:
        client.sendall(b"AMQP" + bytes([0, 0, 9, 1]))
        sys.stdout.buffer.write(client.recv(1))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60, check=True)
    assert done.stdout == b"\x01"


def test_importing_it_loads_no_sockets() -> None:
    program = "import sys, dragonfly.broker; print(*{'pika', 'selectors'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == []


def test_an_unknown_name_is_an_attribute_error() -> None:
    import dragonfly.broker

    with pytest.raises(AttributeError, match="Brokr"):
        dragonfly.broker.Brokr  # noqa: B018

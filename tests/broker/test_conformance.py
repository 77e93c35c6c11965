"""The same steps on RabbitMQ and on the embedded broker: one transcript.

`python -m tests.broker.test_conformance HOST:PORT` prints that of any broker; the one beside this file is RabbitMQ's.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from pika import spec

from dragonfly.broker import Broker
from tests.broker import mistakes, scenarios_of_messages, scenarios_of_queues
from tests.broker.steps import EXCHANGE
from tests.broker.wire_client import WireClient

RECORDED = Path(__file__).with_name("conformance.txt")
SCENARIOS = (*scenarios_of_messages.SCENARIOS, *scenarios_of_queues.SCENARIOS, mistakes.mistakes)


def transcript(address: str) -> list[str]:
    """Return what happens at the broker of this address."""
    lines = []
    for scenario in SCENARIOS:
        lines += ["", f"# {scenario.__name__.replace('_', ' ')}"]
        with WireClient(address) as client:
            client.ask(spec.Exchange.Declare(exchange=EXCHANGE, type="topic"))
            lines += scenario(client, address)
    return lines[1:]


def recorded() -> list[str]:
    return RECORDED.read_text(encoding="utf-8").splitlines()


def test_the_embedded_broker_answers_as_recorded_from_rabbitmq() -> None:
    with Broker() as broker:
        assert transcript(broker.address) == recorded()


@pytest.mark.rabbitmq
def test_rabbitmq_answers_as_recorded(broker: Any) -> None:
    assert transcript(broker.address) == recorded()


if __name__ == "__main__":
    print("\n".join(transcript(sys.argv[1])))

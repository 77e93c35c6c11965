"""Several brokers: the first that answers is used, and when it goes, the next."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dragonfly.broker import Broker
from dragonfly.core import Interface, Service
from dragonfly.core.amqp.connection import Connection
from dragonfly.core.exceptions import DriplineAMQPConnectionError
from dragonfly.loader import load
from dragonfly.testing import Mesh
from tests.mesh.program import dragonfly
from tests.waiting import wait_until

CONFIG = """\
name: my_store
broker: [{0}, {1}]
endpoints:
  - name: peaches
    module: kv_store_key
    initial_value: 0.75
"""


@pytest.fixture
def brokers() -> Iterator[list[Broker]]:
    """Give two brokers that know nothing of each other."""
    with Broker() as first, Broker() as second:
        yield [first, second]


@contextmanager
def served(brokers: list[Broker], tmp_path: Path) -> Iterator[Service]:
    path = tmp_path / "store.yaml"
    path.write_text(CONFIG.format(*(broker.address for broker in brokers)))
    with Mesh(brokers[0].address) as mesh:
        config = load(path)
        service = config.build_service()
        config.build_endpoints(service)
        yield mesh.serve(service)


def answers(client: Interface) -> bool:
    try:
        return client.get("peaches", timeout=2.0).payload.get("value_raw") == "0.75"
    except DriplineAMQPConnectionError:
        return False


def said(caplog: pytest.LogCaptureFixture, text: str) -> list[str]:
    return [record.getMessage() for record in caplog.records if text in record.getMessage()]


def test_service_and_client_go_on_with_the_second_broker_when_the_first_dies(
    brokers: list[Broker], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    both = [broker.address for broker in brokers]
    with served(brokers, tmp_path), Interface(both, confirm_retcodes=False) as client:
        assert answers(client)
        brokers[0].stop()
        assert wait_until(lambda: answers(client))
        told = said(caplog, "uses broker")
        assert sorted(told) == [
            f"interface uses broker {both[1]} now",
            next(text for text in told if text.startswith("serve my_store@")),
        ]
        assert all(text.endswith(f" uses broker {both[1]} now") for text in told)


def test_it_comes_back_to_whichever_answers(
    brokers: list[Broker], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    port = int(brokers[0].address.rpartition(":")[2])
    with served(brokers, tmp_path), Interface(",".join(b.address for b in brokers), confirm_retcodes=False) as client:
        brokers[0].stop()
        assert wait_until(lambda: answers(client))
        brokers[1].stop()
        assert not answers(client)
        with Broker(port=port) as again:
            assert wait_until(lambda: answers(client), timeout=15.0)
            assert again.address == brokers[0].address


def test_the_first_that_is_not_there_is_passed_over_at_once(
    brokers: list[Broker], unused_address: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "dragonfly")
    with Interface([unused_address, brokers[0].address], confirm_retcodes=False, timeout=2.0) as client:
        assert client.get("nobody").retcode == 102
    assert said(caplog, "connecting to") == [f"connecting to broker {unused_address} or {brokers[0].address}"]
    assert said(caplog, "uses broker") == [f"interface uses broker {brokers[0].address} now"]


def test_a_client_is_told_what_is_wrong_with_each(unused_address: str, brokers: list[Broker]) -> None:
    wrong = f"amqp://nobody:s3cr3t@{brokers[0].address}"
    with (
        Interface([unused_address, wrong], timeout=5.0) as client,
        pytest.raises(DriplineAMQPConnectionError) as caught,
    ):
        client.get("peaches")
    first, second = str(caught.value).split("; ")[:2]
    assert first == f"unable to connect to broker {unused_address}: Connection refused"
    assert second == f"broker {brokers[0].address} refused user nobody"
    assert "s3cr3t" not in str(caught.value)


def test_a_broker_that_refuses_us_does_not_hide_the_next(brokers: list[Broker]) -> None:
    wrong = f"amqp://nobody:s3cr3t@{brokers[0].address}"
    with Interface([wrong, brokers[1].address], confirm_retcodes=False, timeout=5.0) as client:
        assert client.get("nobody").retcode == 102


def test_one_broker_twice_is_one(brokers: list[Broker]) -> None:
    address = brokers[0].address
    connection = Connection([address, address, f"amqp://guest:guest@{address}"], "test")
    assert len(connection._addresses) == 1


@pytest.mark.parametrize("form", ["option", "environment", "file"])
def test_the_command_line_takes_several(form: str, brokers: list[Broker], unused_address: str, tmp_path: Path) -> None:
    both = f"{unused_address},{brokers[1].address}"
    config = tmp_path / "broker.yaml"
    config.write_text(f"name: x\nbroker:\n  - {unused_address}\n  - {brokers[1].address}\n")
    words: dict[str, list[str]] = {"option": ["-b", both], "environment": [], "file": ["-c", str(config)]}
    done = dragonfly(both if form == "environment" else unused_address, "get", "nobody", *words[form])
    assert done.stdout == "nobody(ret:102): {'values': ['message not deliverable']}\n", done.stderr
    assert done.status == 1

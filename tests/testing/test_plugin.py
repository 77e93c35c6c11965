"""The fixture `broker`: what it does where RabbitMQ is not, and with a server of somebody else."""

import pytest

from dragonfly.testing import RabbitMQNode, plugin


@pytest.fixture
def _not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RabbitMQNode, "installed", staticmethod(lambda: False))
    monkeypatch.delenv("DRAGONFLY_REQUIRE_RABBITMQ", raising=False)


@pytest.mark.usefixtures("_not_installed")
def test_without_rabbitmq_a_test_is_skipped_with_one_line() -> None:
    with pytest.raises(pytest.skip.Exception, match=r"^rabbitmq-server is not installed$"):
        plugin.require_rabbitmq()


@pytest.mark.usefixtures("_not_installed")
def test_without_rabbitmq_a_test_fails_where_it_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAGONFLY_REQUIRE_RABBITMQ", "1")
    with pytest.raises(pytest.fail.Exception, match="DRAGONFLY_REQUIRE_RABBITMQ"):
        plugin.require_rabbitmq()


def test_another_server_has_the_same_address_and_url() -> None:
    broker = plugin.RunningBroker("localhost:5672")
    assert broker.address == "localhost:5672"
    assert broker.url == "amqp://guest:guest@localhost:5672/"

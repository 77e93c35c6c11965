"""What pika needs to connect: all that an address says, and as little time as the others leave."""

import ssl
from dataclasses import replace

import pytest

from dragonfly.core.amqp.connection import Connection
from dragonfly.core.amqp.parameters import parameters
from dragonfly.core.broker_address import TlsOptions, parsed_address
from dragonfly.core.credentials import CredentialsError

LAB = parsed_address("amqp://me:s3cr3t@broker.lab:5673/physics")


def test_an_address_is_handed_over() -> None:
    made = parameters(LAB, "get peaches@pc", 7.0, is_hurried=False)
    assert (made.host, made.port, made.virtual_host, made.heartbeat) == ("broker.lab", 5673, "physics", 7)
    assert (made.credentials.username, made.credentials.password) == ("me", "s3cr3t")
    assert made.client_properties == {"connection_name": "get peaches@pc"}
    assert made.ssl_options is None


def test_where_the_next_try_should_come_soon_less_time_is_spent_on_each() -> None:
    alone = parameters(LAB, "x", 10, is_hurried=False)
    hurried = parameters(LAB, "x", 10, is_hurried=True)
    assert hurried.stack_timeout <= 5 < 10 <= alone.stack_timeout
    assert hurried.socket_timeout < alone.socket_timeout


def test_a_broker_that_was_reached_before_gets_less_time() -> None:
    connection = Connection("broker.lab", "x")
    before = connection._parameters(connection.address)
    connection._was_up = True
    assert connection._parameters(connection.address).stack_timeout < before.stack_timeout


@pytest.mark.parametrize(
    ("options", "mode", "checks_name", "name"),
    [
        (TlsOptions(), ssl.CERT_REQUIRED, True, "broker.lab"),
        (TlsOptions(server_name="rabbit"), ssl.CERT_REQUIRED, True, "rabbit"),
        (TlsOptions(verify=False), ssl.CERT_NONE, False, "broker.lab"),
    ],
)
def test_a_certificate_is_checked_unless_somebody_says_not_to(
    options: TlsOptions, mode: ssl.VerifyMode, checks_name: bool, name: str
) -> None:
    made = parameters(replace(LAB, tls=True, tls_options=options), "x", 10, is_hurried=False).ssl_options
    assert (made.context.verify_mode, made.context.check_hostname) == (mode, checks_name)
    assert made.server_hostname == name


def test_a_file_that_is_not_there_is_named() -> None:
    address = replace(LAB, tls=True, tls_options=TlsOptions(cacertfile="/none.pem"))
    with pytest.raises(
        CredentialsError, match=r"^cacertfile /none.pem of the broker's address cannot be used: No such"
    ):
        parameters(address, "x", 10, is_hurried=False)

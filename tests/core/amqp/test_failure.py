"""Why there is no connection: one sentence, the broker's name, and never a password."""

import ssl

import pika.exceptions
import pytest

from dragonfly.core.amqp.failure import ConnectionFailure, failure_of, joined, reason_of
from dragonfly.core.broker_address import parsed_address
from dragonfly.core.credentials import CredentialsError

LAB = parsed_address("amqps://me:s3cr3t@broker.lab/physics")


def of_tls(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, f"[SSL: {reason}] (_ssl.c:1)")
    error.reason = reason
    return error


def of_certificate(message: str) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, f"[SSL: CERTIFICATE_VERIFY_FAILED] {message}")
    error.verify_message = message
    return error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
        (of_certificate("self-signed certificate"), "its certificate is not accepted: self-signed certificate"),
        (of_tls("WRONG_VERSION_NUMBER"), "what answers there does not encrypt"),
        (of_tls("UNSUPPORTED_PROTOCOL"), "the encryption could not be agreed on: unsupported protocol"),
        (pika.exceptions.IncompatibleProtocolError("x"), "what answers there is no AMQP 0-9-1 broker"),
        (
            pika.exceptions.IncompatibleProtocolError("[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tls"),
            "the broker ended the encryption: tlsv13 alert certificate required",
        ),
    ],
)
def test_the_reason_is_in_words(error: BaseException, reason: str) -> None:
    assert reason_of(error) == reason
    assert failure_of(LAB, error).text == f"unable to connect to broker broker.lab: {reason}"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (pika.exceptions.ProbableAuthenticationError("x"), "broker broker.lab refused user me"),
        (
            pika.exceptions.ProbableAccessDeniedError("x"),
            "broker broker.lab refused user me the virtual host physics",
        ),
    ],
)
def test_a_refusal_names_the_user_and_no_password(error: BaseException, text: str) -> None:
    failure = failure_of(LAB, error)
    assert (failure.text, failure.refused) == (text, True)


def test_a_file_that_cannot_be_used_any_more_is_told_as_it_is() -> None:
    assert failure_of(LAB, CredentialsError("certfile x cannot be used")).text == "certfile x cannot be used"


def test_of_several_brokers_each_is_told_once_and_all_must_have_refused() -> None:
    away, refused = ConnectionFailure("one is away"), ConnectionFailure("two refused me", refused=True)
    assert joined([away]) is away
    both = joined([away, refused, away])
    assert (both.text, both.refused) == ("one is away; two refused me", False)
    assert joined([refused, refused]).refused


def test_a_reason_that_was_lost_with_an_encrypted_connection_is_guessed() -> None:
    error = pika.exceptions.IncompatibleProtocolError("StreamLostError: SSLEOFError(8, 'EOF occurred')")
    assert reason_of(error).startswith("the broker ended the encryption: perhaps it wants a client's certificate")


def test_a_reason_that_came_is_told() -> None:
    text = "StreamLostError: SSLError(1, '[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required')"
    assert reason_of(pika.exceptions.IncompatibleProtocolError(text)).startswith("the broker ended the encryption: ")
    assert "perhaps" not in reason_of(pika.exceptions.IncompatibleProtocolError(text))


def test_what_does_not_speak_amqp_is_no_broker() -> None:
    assert reason_of(pika.exceptions.IncompatibleProtocolError("x")) == "what answers there is no AMQP 0-9-1 broker"

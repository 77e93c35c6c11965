import pytest

from dragonfly.broker.errors import ProtocolError
from dragonfly.broker.message import lifetime


@pytest.mark.parametrize(
    ("expiration", "seconds"),
    [(b"0", 0.0), (b"1", 0.001), (b"+5", 0.005), (b"10000", 10.0), (b"315360000000", 315360000.0)],
)
def test_an_expiration_is_a_number_of_milliseconds(expiration: bytes, seconds: float) -> None:
    assert lifetime(expiration) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("expiration", "problem"),
    [
        (b"", "'': no_integer"),
        (b"abc", "'abc': no_integer"),
        (b" 5", "' 5': no_integer"),
        (b"-1", "'-1': {value_negative,-1}"),
        (b"1.5", "'1.5': {leftover_string,\".5\"}"),
        (b"5\xff", "'5\\xff': {leftover_string,\"\\xff\"}"),
        (b"315360000001", "'315360000001': {value_too_large,315360000001}"),
    ],
)
def test_anything_else_is_refused_in_the_words_of_rabbitmq(expiration: bytes, problem: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        lifetime(expiration)
    assert caught.value.text == f"PRECONDITION_FAILED - invalid expiration {problem}"

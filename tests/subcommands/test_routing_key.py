"""What can be a target or a binding key at all."""

import pytest

from dragonfly.subcommands.routing_key import check_binding_key, check_length, check_target


@pytest.mark.parametrize("text", ["peaches", "peaches.log_interval", "broadcast.ping", "a-b_c", "Küche", "x" * 255])
def test_a_name_is_a_target(text: str) -> None:
    check_target(text)
    check_binding_key(text)


@pytest.mark.parametrize("key", ["#", "*.peaches", "sensor_value.#"])
def test_a_binding_key_has_wildcards(key: str) -> None:
    check_binding_key(key)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "the target is empty; the name of an endpoint was expected"),
        ("my lab", "'my lab' cannot be a target: it has blanks or characters that cannot be printed"),
        ("peaches\n", "cannot be a target"),
        ("a\u00a0b", "cannot be a target"),
        ("a\u200bb", "cannot be a target"),
        ("\x1b[2J", "cannot be a target"),
        ("\udcff", "cannot be a target"),
        ("x" * 256, "is too long: AMQP allows a name of 255 bytes"),
        ("ü" * 128, "is too long"),
    ],
)
def test_what_no_service_is_bound_to_is_no_target(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=".") as caught:
        check_target(text)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("", "the binding key is empty; one such as 'sensor_value.#' was expected"),
        ("a b", "'a b' cannot be a binding key of alerts"),
        ("x" * 256, "is too long"),
    ],
)
def test_what_matches_no_alert_is_no_binding_key(key: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=".") as caught:
        check_binding_key(key)
    assert sentence in str(caught.value)


@pytest.mark.parametrize("text", ["", "my exchange"])
def test_the_length_alone_may_be_asked_for(text: str) -> None:
    check_length(text)


@pytest.mark.parametrize("text", ["x" * 256, "\udcff"])
def test_what_amqp_cannot_carry_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is too long|cannot be sent"):
        check_length(text)

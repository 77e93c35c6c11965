"""Where brokers are: the texts that name them."""

import traceback
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from dragonfly.core.broker_address import BrokerAddress, TlsOptions, mesh_of, parsed_address, parsed_addresses
from dragonfly.core.exceptions import DriplineValueError

SECRET = "s3cr3t"


@pytest.mark.parametrize(
    ("text", "host", "port", "virtual_host", "user", "password", "tls", "display"),
    [
        (None, "localhost", 5672, "/", "", "", False, "localhost"),
        ("", "localhost", 5672, "/", "", "", False, "localhost"),
        ("myrna.p8", "myrna.p8", 5672, "/", "", "", False, "myrna.p8"),
        ("192.168.1.7", "192.168.1.7", 5672, "/", "", "", False, "192.168.1.7"),
        ("lab:5673", "lab", 5673, "/", "", "", False, "lab:5673"),
        ("lab:5672", "lab", 5672, "/", "", "", False, "lab"),
        ("[::1]", "::1", 5672, "/", "", "", False, "[::1]"),
        ("[::1]:5673", "::1", 5673, "/", "", "", False, "[::1]:5673"),
        ("amqp://lab", "lab", 5672, "/", "", "", False, "lab"),
        ("amqp://lab/", "lab", 5672, "/", "", "", False, "lab"),
        ("amqp://lab/%2F", "lab", 5672, "/", "", "", False, "lab"),
        ("amqp://lab:5671", "lab", 5671, "/", "", "", False, "lab:5671"),
        ("amqp://lab/physics", "lab", 5672, "physics", "", "", False, "lab"),
        ("amqp://lab/a%20b%2Fc", "lab", 5672, "a b/c", "", "", False, "lab"),
        ("amqp://me:s3cr3t@lab", "lab", 5672, "/", "me", SECRET, False, "lab"),
        ("amqp://me:s3cr3t@lab:1/v", "lab", 1, "v", "me", SECRET, False, "lab:1"),
        ("amqp://me:s3%40cr%2F3t@lab", "lab", 5672, "/", "me", "s3@cr/3t", False, "lab"),
        ("amqp://m%40e:@lab", "lab", 5672, "/", "m@e", "", False, "lab"),
        ("amqp://me@lab", "lab", 5672, "/", "me", "", False, "lab"),
        ("amqp://me:s3cr3t@[fe80::1]:5673/v", "fe80::1", 5673, "v", "me", SECRET, False, "[fe80::1]:5673"),
        ("amqps://lab", "lab", 5671, "/", "", "", True, "lab"),
        ("amqps://lab:5671", "lab", 5671, "/", "", "", True, "lab"),
        ("amqps://lab:5672", "lab", 5672, "/", "", "", True, "lab:5672"),
    ],
)
def test_an_address_is_read_and_displayed(
    text: str | None,
    host: str,
    port: int,
    virtual_host: str,
    user: str,
    password: str,
    tls: bool,
    display: str,
) -> None:
    address = parsed_address(text)
    assert address == BrokerAddress(host, port, virtual_host, user, password, tls)
    assert address.display == display


@pytest.mark.parametrize(
    "text",
    [
        *("two words", " lab", "lab\n", "lab:port", "lab:99999", "lab:-1", "lab:1:2", "::1", "[::1", ":5672"),
        *("lab/v", "me@lab", "lab?x", "lab#x", "amqp://", "amqp://:5672", "amqp://lab?x=1", "amqp://lab#x"),
        *("http://lab", "amqp:lab", "AMQP://lab:x", "://lab", 5672, True, ["lab"], {"host": "lab"}, b"lab", 1.5),
    ],
)
def test_nonsense_is_refused_with_the_form_that_was_expected(text: Any) -> None:
    with pytest.raises(DriplineValueError, match="HOST, HOST:PORT or amqp://USER:PASSWORD@HOST:PORT/VHOST was"):
        parsed_address(text)


def test_port_0_is_refused() -> None:
    with pytest.raises(DriplineValueError):
        parsed_address("lab:0")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("ht!tp://x:y:z", "the broker address does not begin with amqp:// or amqps:// but with 'ht!tp://'"),
        ("://lab", "the broker address does not begin with amqp:// or amqps:// but with '://'"),
        ("me:s3cr3t@http://lab", "the broker address does not begin with amqp:// or amqps://"),
        ("my lab", "the broker address 'my lab' has a blank in it"),
        ("amqp://me:s3cr3t@my lab", "the broker address has a blank in it"),
        ("lab:port", "the broker address 'lab:port' has a port that is no number from 1 to 65535"),
        ("lab:0", "the broker address 'lab:0' has a port that is no number from 1 to 65535"),
        ("amqp://me:s3cr3t@lab:port", "the broker address has a port that is no number from 1 to 65535"),
        ("amqp://me:s3cr3t@lab:99999", "the broker address has a port that is no number from 1 to 65535"),
        ("amqp://me:s3cr3t", "the broker address has a port that is no number from 1 to 65535"),
        ("amqp://me:s3cr3t@", "the broker address has no host (one with colons stands in brackets)"),
        ("::1", "the broker address '::1' has no host (one with colons stands in brackets)"),
        ("amqp://m[e:s3cr3t@lab", "the broker address has a user, password or host that cannot be read"),
        ("me:s3cr3t@lab", "the broker address has a user or a path, which only an amqp:// address takes"),
        ("lab/v", "the broker address 'lab/v' has a user or a path, which only an amqp:// address takes"),
        (
            "amqp://me:s3cr3t/x@lab",
            "the broker address has an @ too far back (in a password, '/' is %2F, '?' is %3F and '#' is %23)",
        ),
        ("amqp://me:s3cr3t@lab#x", "the broker address has something after '#'"),
        (
            "amqp://me:s3cr3t@lab?x=1",
            "the broker address has parameters after '?', which only an amqps:// address takes",
        ),
    ],
)
def test_an_error_says_what_is_wrong_with_which_part(text: str, sentence: str) -> None:
    with pytest.raises(DriplineValueError) as caught:
        parsed_address(text)
    form = "HOST, HOST:PORT or amqp://USER:PASSWORD@HOST:PORT/VHOST was expected"
    assert str(caught.value) == f"{sentence}: {form}"
    assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "text",
    [
        "amqp://me:s3cr3t@lab:port",
        "amqp://me:s3cr3t@lab:99999",
        "amqp://me:s3cr3t@",
        "amqp://me:s3cr3t@lab?x=1",
        "amqp://me:s3cr3t/x@lab",
        "amqp://me:s3cr3t#x@lab",
        "amqp://me:s3cr3t?x@lab",
        "amqp://m[e:s3cr3t@lab",
        "amqp:me:s3cr3t@lab",
        "me:s3cr3t@lab",
        "http://me:s3cr3t@lab",
    ],
)
def test_the_text_of_an_error_holds_no_password(text: str) -> None:
    with pytest.raises(DriplineValueError) as caught:
        parsed_address(text)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "amqp://me:s3cr3t x@lab",
        "amqp://me:s3cr3t@my lab",
        "amqp://me:s3cr3t",
        "amqp://me:s3cr3t:5672",
        "amqp:me:s3cr3t",
        "AMQP:me:s3cr3t",
        " amqp:me:s3cr3t",
        ["amqp://me:s3cr3t@lab"],
    ],
    ids=str,
)
def test_the_text_of_an_error_holds_no_password_however_the_url_is_wrong(text: Any) -> None:
    with pytest.raises(DriplineValueError) as caught:
        parsed_address(text)
    assert SECRET not in str(caught.value)


def test_a_password_that_begins_like_a_port_and_has_a_slash_is_refused() -> None:
    with pytest.raises(DriplineValueError):
        parsed_address("amqp://me:12/34@lab")


def test_an_address_never_shows_its_password() -> None:
    address = parsed_address(f"amqp://me:{SECRET}@lab:5673/v")
    assert address.password == SECRET
    for text in (repr(address), str(address), f"{address}", address.display):
        assert SECRET not in text
    assert "me" not in address.display


def test_an_address_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        parsed_address("lab").host = "other"  # type: ignore[misc]


def texts(broker: Any) -> list[str]:
    return [address.display for address in parsed_addresses(broker)]


@pytest.mark.parametrize(
    ("broker", "expected"),
    [
        (None, ["localhost"]),
        ("", ["localhost"]),
        ("lab", ["lab"]),
        ("one,two:5673", ["one", "two:5673"]),
        ("one, two , amqps://three/", ["one", "two", "three"]),
        (["one", "two"], ["one", "two"]),
        (("one", "two,three"), ["one", "two", "three"]),
        (["amqp://me:a%2Cb@lab"], ["lab"]),
    ],
)
def test_several_brokers_are_a_list_or_have_commas_between_them(broker: Any, expected: list[str]) -> None:
    assert texts(broker) == expected


def test_a_comma_in_a_password_is_written_as_in_any_url() -> None:
    (address,) = parsed_addresses("amqp://me:a%2Cb@lab")
    assert address.password == "a,b"
    with pytest.raises(DriplineValueError, match="in a password it is %2C") as caught:
        parsed_addresses("amqp://me:s3,cr3t@lab")
    assert "s3" not in str(caught.value) and "cr3t" not in str(caught.value)


@pytest.mark.parametrize(
    "broker",
    [
        "amqp://bob:12,s3cr3t:x,z@lab",
        "amqp://bob:12,s3cr3t x,z@lab",
        "amqp://bob:12,s3cr3t,z",
        "amqp://bob:12,s3cr3t",
        "amqps://bob:12,s3cr3t",
        "amqp://bob:12,s3cr3t://x@lab",
        "amqp://bob:12,s3cr3t/x,amqp://z@lab",
        "bob:12,s3cr3t:x,z@lab",
        ["one", "amqp://bob:12,s3cr3t"],
        ["amqp://bob:12", "s3cr3t:x", "z@lab"],  # what YAML makes of such a password without quotes, in brackets
        ["amqp://bob:12", "s3cr3t://x@lab"],
    ],
    ids=str,
)
def test_of_a_password_with_a_comma_nothing_is_shown_and_nothing_is_looked_up(broker: Any) -> None:
    with pytest.raises(DriplineValueError, match="in a password it is %2C") as caught:
        parsed_addresses(broker)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_what_cannot_be_a_password_is_shown() -> None:
    with pytest.raises(DriplineValueError, match="the broker address 'lab:port' has a port"):
        parsed_addresses("one,lab:port")


def test_who_meets_on_a_broker_is_told_by_where_it_is() -> None:
    assert mesh_of("amqp://me:s3cr3t@lab/v,amqps://two") == "lab/v two//"
    assert mesh_of(None) == mesh_of("localhost") == mesh_of("amqp://guest@localhost:5672") != mesh_of("localhost:5673")


@pytest.mark.parametrize(
    "broker",
    [[], ["one", 5672], ["one", ""], "one,", ",", "one,,two", {"host": "lab"}, 5672, [["one"]], "one,lab:port"],
)
def test_a_list_that_has_something_else_in_it_is_refused(broker: Any) -> None:
    with pytest.raises(DriplineValueError, match="HOST, HOST:PORT or amqp://"):
        parsed_addresses(broker)


def test_the_parameters_of_an_encrypted_address_are_rabbitmqs() -> None:
    url = "amqps://lab/?cacertfile=/a%20b.pem&certfile=c.pem&keyfile=k.pem&verify=verify_none&server_name_indication=x"
    assert parsed_address(url).tls_options == TlsOptions("/a b.pem", "c.pem", "k.pem", False, "x")
    assert parsed_address("amqps://lab").tls_options == TlsOptions()
    assert parsed_address("amqps://lab?certfile=c.pem").tls_options == TlsOptions(certfile="c.pem")
    assert TlsOptions().verify


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("cafile=x", "takes cacertfile, certfile, keyfile, verify, server_name_indication"),
        ("cacertfile=", "each once, with a value"),
        ("cacertfile=x&cacertfile=y", "each once"),
        ("verify=no", "verify_peer or verify_none"),
        ("keyfile=x", "needs certfile"),
        ("heartbeat=5", "takes cacertfile"),
    ],
)
def test_a_parameter_that_means_nothing_is_refused(query: str, why: str) -> None:
    with pytest.raises(DriplineValueError, match=why):
        parsed_address(f"amqps://lab/v?{query}")


def test_only_an_encrypted_address_has_parameters() -> None:
    with pytest.raises(DriplineValueError):
        parsed_address("amqp://lab?cacertfile=x")

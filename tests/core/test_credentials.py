"""Where the broker is, and who we are to it."""

import json
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest

from dragonfly.core.credentials import BrokerAddress, broker_address, parsed_address
from dragonfly.core.exceptions import DriplineValueError

SECRET = "s3cr3t"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's home without an authentications file, and an environment that says nothing."""
    for name in ("USER", "PASSWORD", "AUTH_FILE", "BROKER"):
        monkeypatch.delenv(f"DRAGONFLY_{name}", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def write(home: Path, content: Any, name: str = ".project8_authentications.json") -> Path:
    path = home / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


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
    address = broker_address(f"amqp://me:{SECRET}@lab:5673/v")
    assert address.password == SECRET
    for text in (repr(address), str(address), f"{address}", address.display):
        assert SECRET not in text
    assert "me" not in address.display


def test_an_address_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        parsed_address("lab").host = "other"  # type: ignore[misc]


def who(broker: str | None = "lab") -> tuple[str, str]:
    address = broker_address(broker)
    return address.user, address.password


def test_nobody_in_particular_is_guest() -> None:
    assert who() == who(None) == ("guest", "guest")


def test_the_file_in_the_home_directory_says_who(home: Path) -> None:
    write(home, {"amqp": {"username": "lab", "password": SECRET}, "postgresql": {"username": "x"}})
    assert who() == ("lab", SECRET)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({}, ("guest", "guest")),
        ({"postgresql": {"username": "x"}}, ("guest", "guest")),
        ({"amqp": {}}, ("guest", "guest")),
        ({"amqp": {"username": "lab"}}, ("lab", "guest")),
        ({"amqp": {"username": "lab", "password": "p", "broker": "ignored"}}, ("lab", "p")),
        ({"amqp": {"username": 7, "password": 8}}, ("7", "8")),
        ({"amqp": {"username": "lab", "password": "\N{GREEK SMALL LETTER MU}"}}, ("lab", "\N{GREEK SMALL LETTER MU}")),
    ],
)
def test_what_the_file_leaves_out_is_guests(home: Path, content: Any, expected: tuple[str, str]) -> None:
    write(home, content)
    assert who() == expected


def test_another_file_can_be_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home, {"amqp": {"username": "home", "password": "p"}})
    write(home, {"amqp": {"username": "named", "password": "q"}}, "other.json")
    monkeypatch.setenv("DRAGONFLY_AUTH_FILE", "~/other.json")
    assert who() == ("named", "q")
    monkeypatch.setenv("DRAGONFLY_AUTH_FILE", str(home / "other.json"))
    assert who() == ("named", "q")
    monkeypatch.setenv("DRAGONFLY_AUTH_FILE", "")
    assert who() == ("home", "p")


def test_the_environment_goes_before_the_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home, {"amqp": {"username": "file", "password": "p"}})
    monkeypatch.setenv("DRAGONFLY_USER", "env")
    monkeypatch.setenv("DRAGONFLY_PASSWORD", SECRET)
    assert who() == ("env", SECRET)
    monkeypatch.delenv("DRAGONFLY_PASSWORD")
    assert who() == ("env", "")
    monkeypatch.setenv("DRAGONFLY_USER", "")
    assert who() == ("file", "p")


def test_the_url_goes_before_all(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home, "no json: it is not read")
    monkeypatch.setenv("DRAGONFLY_USER", "env")
    monkeypatch.setenv("DRAGONFLY_PASSWORD", "p")
    assert who(f"amqp://url:{SECRET}@lab") == ("url", SECRET)
    assert who("amqp://url@lab") == ("url", "")
    assert who("amqp://lab") == ("env", "p")


def test_the_host_stays_whoever_we_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAGONFLY_USER", "env")
    address = broker_address("amqps://lab:1/v")
    assert (address.host, address.port, address.virtual_host, address.tls) == ("lab", 1, "v", True)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "cannot be read"),
        ("{", "cannot be read"),
        ("username: lab", "cannot be read"),
        ("[]", "must hold a JSON object"),
        ("null", "must hold a JSON object"),
        ('"s3cr3t"', "must hold a JSON object"),
        ('{"amqp": null}', "section amqp .* must be an object"),
        ('{"amqp": "s3cr3t"}', "section amqp .* must be an object"),
        ('{"amqp": ["me", "s3cr3t"]}', "section amqp .* must be an object"),
        ('{"amqp": {"username": "me", "password": "s3cr3t"', "cannot be read"),
        ('{"amqp": {"username": "me", "password": s3cr3t}}', "cannot be read"),
    ],
)
def test_a_malformed_file_is_an_error_that_holds_no_secret(home: Path, content: str, why: str) -> None:
    write(home, content)
    with pytest.raises(DriplineValueError, match=why) as caught:
        broker_address("lab")
    assert SECRET not in str(caught.value)


def test_a_file_that_is_no_utf8_is_an_error(home: Path) -> None:
    (home / ".project8_authentications.json").write_bytes(b'{"amqp": "\xff"}')
    with pytest.raises(DriplineValueError, match="cannot be read"):
        broker_address("lab")


def test_a_directory_in_its_place_is_an_error_with_the_path(home: Path) -> None:
    (home / ".project8_authentications.json").mkdir()
    with pytest.raises(DriplineValueError, match=f"{home}/.project8_authentications.json cannot be read"):
        broker_address("lab")


def test_a_file_that_was_named_and_is_not_there_is_an_error(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAGONFLY_AUTH_FILE", str(home / "nowhere.json"))
    with pytest.raises(DriplineValueError, match=r"there is no authentications file .*/nowhere\.json"):
        broker_address("lab")


def test_a_file_of_a_user_who_does_not_exist_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAGONFLY_AUTH_FILE", "~no_such_user/auth.json")
    with pytest.raises(DriplineValueError, match="no_such_user"):
        broker_address("lab")


def test_a_user_of_null_is_not_the_user_none(home: Path) -> None:
    write(home, {"amqp": {"username": None, "password": None}})
    try:
        user, _ = who()
    except DriplineValueError:
        user = "refused"
    assert user in ("guest", "refused")

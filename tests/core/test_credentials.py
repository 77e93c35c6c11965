"""Where the broker is, and who we are to it."""

import json
from pathlib import Path
from typing import Any

import pytest

from dragonfly.core import credentials
from dragonfly.core.credentials import (
    AuthenticationsFileError,
    CredentialsError,
    auth_file,
    broker_addresses,
    slack_token,
)
from dragonfly.core.exceptions import DriplineValueError

SECRET = "s3cr3t"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's home without an authentications file, and an environment that says nothing."""
    for name in ("USER", "PASSWORD", "AUTH_FILE", "BROKER", "SLACK_TOKEN"):
        monkeypatch.delenv(f"DRAGONFLY_{name}", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def write(home: Path, content: Any, name: str = ".project8_authentications.json") -> Path:
    path = home / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    path.chmod(0o600)
    return path


def who(broker: str | None = "lab") -> tuple[str, str]:
    (address,) = broker_addresses(broker)
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
        ({"amqp": {"username": "lab", "password": ""}}, ("lab", "")),
        ({"amqp": {"username": "", "password": ""}}, ("guest", "guest")),
        ({"amqp": {"username": "lab", "password": "p", "broker": "ignored"}}, ("lab", "p")),
        ({"amqp": {"username": 7, "password": 8}}, ("7", "8")),
        ({"amqp": {"username": "lab", "password": "\N{GREEK SMALL LETTER MU}"}}, ("lab", "\N{GREEK SMALL LETTER MU}")),
    ],
)
def test_who_the_file_says_we_are_else_guest(home: Path, content: Any, expected: tuple[str, str]) -> None:
    write(home, content)
    assert who() == expected


@pytest.mark.parametrize(
    ("section", "given", "missing"),
    [
        ({"username": SECRET}, "username", "password"),
        ({"username": SECRET, "password": None}, "username", "password"),
        ({"password": SECRET}, "password", "username"),
        ({"username": "", "password": SECRET}, "password", "username"),
    ],
)
def test_half_of_the_section_is_one_sentence(section: Any, given: str, missing: str, home: Path) -> None:
    write(home, {"amqp": section})
    with pytest.raises(CredentialsError) as caught:
        who()
    where = "section amqp of the authentications file"
    assert str(caught.value) == f"{where} has {given} and not {missing}: give both, or neither"
    assert who("amqp://url:p@lab") == ("url", "p")


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
    monkeypatch.setenv("DRAGONFLY_PASSWORD", "")
    assert who() == ("env", "")
    monkeypatch.setenv("DRAGONFLY_USER", "")
    assert who() == ("file", "p")


@pytest.mark.parametrize(("given", "missing"), [("USER", "PASSWORD"), ("PASSWORD", "USER")])
def test_half_of_the_environment_is_one_sentence(given: str, missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"DRAGONFLY_{given}", SECRET)
    with pytest.raises(CredentialsError) as caught:
        who()
    assert str(caught.value) == f"DRAGONFLY_{given} is set and DRAGONFLY_{missing} is not: set both, or neither"
    assert who("amqp://url:p@lab") == ("url", "p")


def test_the_url_goes_before_all(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home, "no json: it is not read")
    monkeypatch.setenv("DRAGONFLY_USER", "env")
    monkeypatch.setenv("DRAGONFLY_PASSWORD", "p")
    assert who(f"amqp://url:{SECRET}@lab") == ("url", SECRET)
    assert who("amqp://url@lab") == ("url", "")
    assert who("amqp://lab") == ("env", "p")


def test_the_host_stays_whoever_we_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAGONFLY_USER", "env")
    monkeypatch.setenv("DRAGONFLY_PASSWORD", "p")
    (address,) = broker_addresses("amqps://lab:1/v")
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
        ('{"amqp": {"username": "me", "password": ["s3cr3t"]}}', "password in section amqp .* must be a text"),
        ('{"amqp": {"username": true, "password": "s3cr3t"}}', "username in section amqp .* must be a text"),
        ("[" * 100_000 + '"s3cr3t"', "cannot be read"),
    ],
)
def test_a_malformed_file_is_an_error_that_holds_no_secret(home: Path, content: str, why: str) -> None:
    write(home, content)
    with pytest.raises(DriplineValueError, match=why) as caught:
        broker_addresses("lab")
    assert SECRET not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert caught.value.__cause__ is None  # the errors of the decoders carry what they read


def test_a_file_that_is_no_utf8_is_an_error(home: Path) -> None:
    (home / ".project8_authentications.json").write_bytes(b'{"amqp": "\xff"}')
    with pytest.raises(DriplineValueError, match="cannot be read"):
        broker_addresses("lab")


def test_a_directory_in_its_place_is_an_error_with_the_path(home: Path) -> None:
    (home / ".project8_authentications.json").mkdir()
    with pytest.raises(DriplineValueError, match=f"{home}/.project8_authentications.json cannot be read"):
        broker_addresses("lab")


def test_a_file_that_was_named_and_is_not_there_is_an_error(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAGONFLY_AUTH_FILE", str(home / "nowhere.json"))
    with pytest.raises(DriplineValueError, match=r"there is no authentications file .*/nowhere\.json"):
        broker_addresses("lab")


def test_a_file_of_a_user_who_does_not_exist_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAGONFLY_AUTH_FILE", "~no_such_user/auth.json")
    with pytest.raises(DriplineValueError, match="no_such_user"):
        broker_addresses("lab")


def test_a_user_of_null_is_not_the_user_none(home: Path) -> None:
    write(home, {"amqp": {"username": None, "password": None}})
    try:
        user, _ = who()
    except DriplineValueError:
        user = "refused"
    assert user in ("guest", "refused")


def test_each_of_several_brokers_has_its_own_user(home: Path) -> None:
    write(home, {"amqp": {"username": "file", "password": "p"}})
    addresses = broker_addresses(["amqp://url:q@one", "two:5673"])
    assert [(each.user, each.password, each.display) for each in addresses] == [
        ("url", "q", "one"),
        ("file", "p", "two:5673"),
    ]


def test_the_option_goes_before_the_variable_and_is_named_where_it_is_wrong(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "DRAGONFLY_AUTH_FILE", str(write(home, {"amqp": {"username": "env", "password": "p"}}, "env.json"))
    )
    option = str(write(home, {"amqp": {"username": "option", "password": "p"}}, "option.json"))
    with auth_file(option):
        assert who()[0] == "option"
        with auth_file(None):
            assert who()[0] == "option"
    with auth_file(None):
        assert who()[0] == "env"
    with auth_file("none.json"), pytest.raises(AuthenticationsFileError, match=r"no .* file none.json \(--auth-file\)"):
        who()


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_one_warning(
    mode: int, home: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials._Option, "told", set())
    path = write(home, {"amqp": {"username": "me", "password": SECRET}})
    path.chmod(mode)
    assert who() == who() == ("me", SECRET)
    told = [record.getMessage() for record in caplog.records]
    assert told == (
        [f"others can use the authentications file {path}: chmod 600 takes that from them"] if mode & 0o77 else []
    )


def test_the_slack_token_is_the_environments_else_dripline_else_token(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert slack_token() is None
    write(home, {"slack": {}})
    assert slack_token() is None
    write(home, {"slack": {"token": "second"}})
    assert slack_token() == "second"
    write(home, {"slack": {"token": "second", "dripline": "first"}})
    assert slack_token() == "first"
    monkeypatch.setenv("DRAGONFLY_SLACK_TOKEN", "environment")
    assert slack_token() == "environment"


@pytest.mark.parametrize("content", ['{"slack": "s3cr3t"}', '{"slack": {"dripline": ["s3cr3t"]}}', "{s3cr3t"])
def test_a_malformed_slack_section_is_an_error_without_the_token(content: str, home: Path) -> None:
    write(home, content)
    with pytest.raises(AuthenticationsFileError) as caught:
        slack_token()
    assert SECRET not in str(caught.value)

"""The four kinds of message."""

import os
import re
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import dragonfly
from dragonfly.core import message as module
from dragonfly.core.message import (
    AlertMessage,
    InfoMessage,
    Message,
    ReplyMessage,
    RequestMessage,
    sender_info,
    utc_timestamp,
)

HASH = "5c3ea72d0f6b1c2e3d4a5b6c7d8e9f0a1b2c3d4e"
FIELDS: dict[str, Any] = {"timestamp": "2015-12-03T00:00:00Z", "sender_info": {"username": "lab"}}


@pytest.mark.parametrize(
    ("message", "own"),
    [
        (RequestMessage(1, {"values": []}, **FIELDS), {"msgtype": 3, "msgop": 1}),
        (
            RequestMessage(0, {"values": []}, lockout_key="k", **FIELDS),
            {"msgtype": 3, "msgop": 0, "lockout_key": "k"},
        ),
        (ReplyMessage({"values": []}, **FIELDS), {"msgtype": 2, "retcode": 0, "return_msg": ""}),
        (
            ReplyMessage({"values": []}, retcode=304, return_msg="no", **FIELDS),
            {"msgtype": 2, "retcode": 304, "return_msg": "no"},
        ),
        (AlertMessage({"values": []}, **FIELDS), {"msgtype": 4}),
        (InfoMessage({"values": []}, **FIELDS), {"msgtype": 5}),
    ],
)
def test_to_dict_holds_the_fields_of_the_wire(message: Message, own: dict[str, Any]) -> None:
    assert message.to_dict() == {**FIELDS, "payload": {"values": []}, **own}


def test_unknown_fields_come_last() -> None:
    message = AlertMessage(1, extra={"colour": "red", "also": 2}, **FIELDS)
    assert list(message.to_dict())[-3:] == ["payload", "colour", "also"]


@pytest.mark.parametrize(
    ("payload", "carried"),
    [
        (None, {"values": [None]}),
        (30, {"values": [30]}),
        ([1, 2], {"values": [[1, 2]]}),
        ("text", {"values": ["text"]}),
        (False, {"values": [False]}),
        ({}, {}),
        ({"value_raw": "0.75"}, {"value_raw": "0.75"}),
    ],
)
def test_a_reply_carries_a_value_in_a_list_and_a_dict_as_it_is(payload: Any, carried: Any) -> None:
    assert ReplyMessage(payload).payload == carried


def test_a_request_without_payload_has_an_empty_one() -> None:
    assert RequestMessage(1).payload == {}


def test_an_alert_carries_any_payload_as_it_is() -> None:
    assert AlertMessage("disk is full").payload == "disk is full"


@pytest.mark.parametrize(("code", "failed"), [(0, False), (1, False), (99, False), (100, True), (999, True)])
def test_a_reply_has_failed_from_100_on(code: int, failed: bool) -> None:
    assert ReplyMessage(retcode=code).failed is failed


def test_no_two_messages_share_their_extra_fields() -> None:
    first, second = AlertMessage(), AlertMessage()
    first.extra["x"] = 1
    assert second.extra == {}


def test_the_sender_has_the_tutorials_six_keys_in_order() -> None:
    assert list(sender_info()) == ["username", "exe", "package", "hostname", "version", "commit"]
    assert sender_info()["package"] == "dripline"
    assert sender_info()["version"] == dragonfly.__version__
    assert all(sender_info().values())


def test_a_service_names_itself_last() -> None:
    assert list(sender_info("my_store").items())[-1] == ("service_name", "my_store")


def test_a_change_to_one_sender_does_not_reach_the_next() -> None:
    sender_info()["username"] = "somebody"
    sender_info("my_store")
    assert sender_info()["username"] != "somebody"
    assert "service_name" not in sender_info()


@pytest.mark.parametrize(
    ("sender", "name"), [({}, ""), ({"service_name": ""}, ""), ({"service_name": "my_store"}, "my_store")]
)
def test_the_service_name_is_the_senders_or_empty(sender: dict[str, Any], name: str) -> None:
    assert ReplyMessage(sender_info=sender).service_name == name


def test_a_service_name_of_null_is_none() -> None:
    assert ReplyMessage(sender_info={"service_name": None}).service_name == ""


def test_a_timestamp_is_utc_wherever_we_are(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "XYZ-9")
        time.tzset()
        text = utc_timestamp()
    time.tzset()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text)
    moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    assert abs(datetime.now(timezone.utc) - moment) < timedelta(seconds=30)


def test_a_timestamp_and_a_sender_that_were_given_stay() -> None:
    message = AlertMessage(timestamp="", sender_info={})
    assert (message.timestamp, message.sender_info) == ("", {})


def test_a_user_without_a_passwd_entry_is_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 3_999_999_999)
    assert module._username() == "3999999999"


def make_checkout(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root / "dragonfly" / "__init__.py"


@pytest.mark.parametrize(
    ("files", "commit"),
    [
        ({}, "unknown"),
        ({".git/HEAD": f"{HASH}\n"}, "g5c3ea72"),
        ({".git/HEAD": "ref: refs/heads/main\n", ".git/refs/heads/main": f"{HASH}\n"}, "g5c3ea72"),
        (
            {".git/HEAD": "ref: refs/heads/main\n", ".git/packed-refs": f"# packed\n{HASH} refs/heads/main\n"},
            "g5c3ea72",
        ),
        ({".git/HEAD": "ref: refs/heads/main\n"}, "unknown"),
        ({".git/HEAD": ""}, "unknown"),
        ({".git/config": ""}, "unknown"),
        ({".git": "gitdir: nowhere\n"}, "unknown"),
        (
            {
                ".git": "gitdir: real/worktrees/w\n",
                "real/worktrees/w/HEAD": "ref: refs/heads/topic\n",
                "real/worktrees/w/commondir": "../..\n",
                "real/refs/heads/topic": f"{HASH}\n",
            },
            "g5c3ea72",
        ),
    ],
)
def test_the_commit_is_the_checkouts_or_unknown(
    files: dict[str, str], commit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dragonfly, "__file__", str(make_checkout(tmp_path, files)))
    assert module._commit() == commit

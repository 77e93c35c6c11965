"""The record of who had what done."""

import json
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dragonfly.core import audit as audit_module
from dragonfly.core.audit import Audit
from dragonfly.core.constants import OP_CMD, OP_CONFIG, OP_GET, OP_RUN, OP_SEND, OP_SET
from dragonfly.core.message import RequestMessage

KEY = "0123456789abcdef0123456789abcdef"
ALICE = {"username": "alice", "hostname": "lab1", "exe": "/bin/dragonfly"}


def request(operation: int = OP_SET, payload: Any = None, **fields: Any) -> RequestMessage:
    fields.setdefault("sender_info", ALICE)
    return RequestMessage(operation, {"values": [0.64]} if payload is None else payload, **fields)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


@pytest.fixture
def audit(path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Audit]:
    caplog.set_level(logging.INFO, "dragonfly.audit")
    audit = Audit(str(path))
    audit.open()
    yield audit
    audit.close()


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="ascii").splitlines() if line]


@pytest.mark.parametrize(
    ("operation", "target", "payload", "text"),
    [
        (OP_SET, "peaches", {"values": [0.64]}, "set peaches 0.64"),
        (OP_SET, "peaches", {"values": ["a b"], "unit": "V"}, "set peaches 'a b' unit='V'"),
        (OP_CMD, "peaches.move", {"values": [1, None]}, "cmd peaches.move 1 None"),
        (OP_CMD, "peaches.ping", {"values": []}, "cmd peaches.ping"),
        (OP_RUN, "daq", {"values": []}, "run daq"),
        (OP_SEND, "rack", {"values": ["*IDN?"]}, "send rack '*IDN?'"),
        (OP_CONFIG, "peaches", {"values": ["log_interval", 5]}, "config peaches 'log_interval' 5"),
        (OP_SET, "peaches", "no object", "set peaches 'no object'"),
        (OP_SET, "peaches", {"values": 5}, "set peaches"),
        (OP_SET, "peaches", {}, "set peaches"),
    ],
)
@pytest.mark.parametrize("retcode", [0, 1, 307, 999])
def test_what_changes_something_is_one_record_in_the_log_and_one_line_in_the_file(
    audit: Audit,
    path: Path,
    caplog: pytest.LogCaptureFixture,
    operation: int,
    target: str,
    payload: Any,
    text: str,
    retcode: int,
) -> None:
    audit.record(target, request(operation, payload), retcode)
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("dragonfly.audit", "INFO")
    assert record.getMessage() == f"alice@lab1 (/bin/dragonfly): {text} -> {retcode}"
    (line,) = lines(path)
    assert list(line) == ["time", "user", "host", "exe", "operation", "target", "payload", "retcode"]
    assert line.pop("time").endswith("Z")
    assert line == {
        "user": "alice",
        "host": "lab1",
        "exe": "/bin/dragonfly",
        "operation": text.split()[0],
        "target": target,
        "payload": payload,
        "retcode": retcode,
    }


@pytest.mark.parametrize(
    ("operation", "payload"),
    [
        (OP_GET, {"values": []}),
        (OP_GET, {"values": ["log_interval"]}),
        (OP_GET, {"values": [1, 2]}),
        (OP_GET, "no object"),
        (OP_CONFIG, {"values": ["log_interval"]}),
        (OP_CONFIG, {"values": ["log_interval", None]}),
        (OP_CONFIG, {"values": []}),
        (OP_CONFIG, "no object"),
    ],
)
def test_what_only_reads_is_none(
    audit: Audit, path: Path, caplog: pytest.LogCaptureFixture, operation: int, payload: Any
) -> None:
    audit.record("peaches", request(operation, payload), 0)
    assert (caplog.records, lines(path)) == ([], [])


@pytest.mark.parametrize(
    ("target", "payload"),
    [
        ("peaches", {"values": [1], "key": KEY}),
        ("peaches", {"values": [{"deep": [{"lockout-key": KEY}]}]}),
        ("peaches", {"values": [], "password": KEY, "auth_token": [KEY], "client-secret": {"x": KEY}}),
        ("peaches.password", {"values": [KEY]}),
        ("peaches", {"values": ["password", KEY]}),
        ("peaches.unlock", {"values": [KEY]}),
        ("peaches", {"values": ["lock", KEY]}),
    ],
)
def test_no_record_holds_a_secret(
    audit: Audit, path: Path, caplog: pytest.LogCaptureFixture, target: str, payload: Any
) -> None:
    audit.record(target, request(OP_CMD, payload, lockout_key=KEY), 0)
    assert len(lines(path)) == len(caplog.records) == 1
    for text in (path.read_text(encoding="ascii"), caplog.records[0].getMessage()):
        assert KEY not in text and "***" in text


def test_what_others_wrote_cannot_look_like_another_record(
    audit: Audit, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    forged = "x\n2026-01-01 INFO alice@lab1: set heater 0 -> 0\x1b[2K"
    info = dict.fromkeys(("username", "hostname", "exe"), forged)
    audit.record(forged, request(payload={"values": [forged], forged: 1}, sender_info=info), 0)
    text = caplog.records[0].getMessage()
    assert text.isprintable() and "\n" not in text
    assert len(path.read_text(encoding="ascii").splitlines()) == 1
    assert lines(path)[0]["user"] == forged


@pytest.mark.parametrize("info", [{}, {"username": None, "hostname": 5, "exe": ["a"]}])
def test_a_sender_that_does_not_say_who_it_is_has_a_record_all_the_same(
    audit: Audit, path: Path, caplog: pytest.LogCaptureFixture, info: dict[str, Any]
) -> None:
    audit.record("peaches", request(sender_info=info), 0)
    assert caplog.records[0].getMessage().startswith("unknown@")
    assert lines(path)[0]["user"] is None


def test_a_long_value_is_cut_in_the_log_and_whole_in_the_file(
    audit: Audit, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    audit.record("peaches", request(payload={"values": ["x" * 100_000]}), 0)
    assert len(caplog.records[0].getMessage()) < 300
    assert lines(path)[0]["payload"]["values"] == ["x" * 100_000]


@pytest.mark.parametrize("value", ["\ud800", "é", float("nan"), 10**1000])
def test_any_value_can_be_written(audit: Audit, path: Path, value: Any) -> None:
    audit.record("peaches", request(payload={"values": [value]}), 0)
    assert len(lines(path)) == 1


def test_a_file_that_is_there_is_gone_on_with(path: Path) -> None:
    path.write_text("{}\n", encoding="ascii")
    for _ in range(2):
        audit = Audit(str(path))
        audit.open()
        audit.record("peaches", request(), 0)
        audit.close()
        audit.close()
    audit.record("peaches", request(), 0)
    assert len(lines(path)) == 3


def test_without_a_file_and_a_log_nothing_is_made(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "dragonfly.audit")
    audit = Audit(None)
    audit.open()
    audit.record("peaches", request(), 0)
    audit.close()
    assert caplog.records == []


def test_the_file_is_written_although_the_log_is_silent(audit: Audit, path: Path) -> None:
    logging.getLogger("dragonfly.audit").setLevel(logging.WARNING)
    audit.record("peaches", request(), 0)
    assert len(lines(path)) == 1


@pytest.mark.parametrize(("place", "kind"), [(".", IsADirectoryError), ("no/such/directory/audit", FileNotFoundError)])
def test_a_file_that_cannot_be_opened_is_an_error(tmp_path: Path, place: str, kind: type[OSError]) -> None:
    with pytest.raises(kind):
        Audit(str(tmp_path / place)).open()


def test_a_full_disk_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "dragonfly.audit")
    audit = Audit("/dev/full")
    audit.open()
    for _ in range(5):
        audit.record("peaches", request(), 0)
    audit.close()
    (record,) = caplog.records
    assert record.levelname == "CRITICAL"
    assert record.getMessage() == "the audit file /dev/full cannot be written: No space left on device"


def test_a_disk_that_has_room_again_gets_whole_lines(
    audit: Audit, path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = audit_module.os.write
    monkeypatch.setattr(audit_module.os, "write", lambda file, data: write(file, data[:20]))
    audit.record("peaches", request(payload={"values": [1]}), 0)

    def full(file: int, data: bytes) -> int:
        if len(data) < 100:
            raise OSError(28, "No space left on device")
        return write(file, data[:20])

    monkeypatch.setattr(audit_module.os, "write", full)
    for _ in range(3):
        audit.record("peaches", request(payload={"values": [2]}), 0)
    monkeypatch.setattr(audit_module.os, "write", write)
    audit.record("peaches", request(payload={"values": [3]}), 0)
    texts = [record.getMessage() for record in caplog.records if record.levelno > logging.INFO]
    assert texts[0].endswith("cannot be written: No space left on device")
    assert texts[1:] == [f"the audit file {path} is written again: 3 records are missing"]
    whole = [line for line in path.read_text(encoding="ascii").splitlines() if line.endswith("}")]
    assert [json.loads(line)["payload"]["values"] for line in whole] == [[1], [3]]


def test_lines_of_many_threads_do_not_mix(audit: Audit, path: Path) -> None:
    def work(number: int) -> None:
        for _ in range(200):
            audit.record("peaches", request(payload={"values": [number] * 50}), 0)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(line["payload"]["values"][0] for line in lines(path)) == [n for n in range(4) for _ in range(200)]

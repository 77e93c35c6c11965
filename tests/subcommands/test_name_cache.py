"""The cache of names: what it keeps, where, and that nobody hears of it when it cannot be used."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dragonfly.subcommands.name_cache import Kind, NameCache

PEACHES = Kind(("log_interval", "unit"), ("log_interval",), ("ping",))
NAMES = {"my_store": Kind(), "peaches": PEACHES, "chips": PEACHES}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "dragonfly"


def file_of(folder: Path) -> Path:
    (file,) = folder.glob("*.json")
    return file


def test_what_was_written_is_read() -> None:
    cache = NameCache("host")
    assert cache.read() == {}
    cache.write(NAMES.items())
    assert cache.read() == NAMES
    cache.write([])
    assert cache.read() == {}


def test_each_broker_has_its_own() -> None:
    NameCache("host").write(NAMES.items())
    assert NameCache("other").read() == {}
    assert NameCache("host:5673").read() == {}
    assert NameCache("amqp://host/lab").read() == {}
    assert NameCache("host:5672").read() == NAMES


def test_no_broker_is_localhost() -> None:
    NameCache(None).write(NAMES.items())
    assert NameCache("localhost").read() == NAMES


def test_a_password_is_neither_in_the_files_name_nor_in_it(folder: Path) -> None:
    NameCache("amqp://smith:s3cret@host").write(NAMES.items())
    assert NameCache("host").read() == NAMES
    file = file_of(folder)
    assert "s3cret" not in file.name + file.read_text()
    assert "smith" not in file.name + file.read_text()


def test_nobody_else_can_read_it(folder: Path) -> None:
    NameCache("host").write(NAMES.items())
    assert folder.stat().st_mode & 0o777 == 0o700
    assert file_of(folder).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"form": 2, "kinds": [], "names": {}}',
        b'{"form": 1}',
        b'{"form": 1, "kinds": [], "names": {"peaches": 0}}',
        b'{"form": 1, "kinds": [[[], [], [], []]], "names": {"peaches": 0}}',
        b'{"form": 1, "kinds": 3, "names": {"peaches": 0}}',
        b'{"form": 1, "kinds": [[1, 2, 3]], "names": ["peaches"]}',
        b"[" * 100_000,
    ],
)
def test_a_cache_that_cannot_be_understood_is_none(content: bytes, folder: Path) -> None:
    cache = NameCache("host")
    cache.write(NAMES.items())
    file_of(folder).write_bytes(content)
    assert cache.read() == {}
    cache.write(NAMES.items())
    assert cache.read() == NAMES


def test_one_that_cannot_be_written_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    cache = NameCache("host")
    cache.write(NAMES.items())
    assert cache.read() == {}
    assert cache.claim_refresh(20.0) is False


def test_a_failed_write_leaves_nothing_behind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", fail)
    NameCache("host").write(NAMES.items())
    assert list(folder.iterdir()) == []


def test_writers_at_the_same_time_leave_one_of_their_caches_whole(folder: Path) -> None:
    caches = [{f"s{number}_{n}": PEACHES for n in range(500)} for number in range(4)]
    NameCache("host").write(caches[0].items())
    with ThreadPoolExecutor(4) as pool:
        writing = [pool.submit(NameCache("host").write, caches[n % 4].items()) for n in range(40)]
        while not all(future.done() for future in writing):
            assert NameCache("host").read() in caches
    assert len(list(folder.iterdir())) == 1


def test_one_process_at_a_time_refreshes_what_is_old(folder: Path) -> None:
    cache = NameCache("host")
    assert cache.claim_refresh(20.0) is True
    assert cache.claim_refresh(20.0) is False
    os.utime(folder / next(folder.glob("*.asked")).name, (0, 0))
    cache.write(NAMES.items())
    assert cache.claim_refresh(20.0) is False
    os.utime(file_of(folder), (0, 0))
    assert cache.claim_refresh(20.0) is True


@pytest.mark.parametrize("configured", ["", "cache"])
def test_without_an_absolute_path_it_is_in_the_home_directory(
    configured: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", configured)
    monkeypatch.setenv("HOME", str(tmp_path))
    NameCache("host").write(NAMES.items())
    assert len(list((tmp_path / ".cache" / "dragonfly").iterdir())) == 1

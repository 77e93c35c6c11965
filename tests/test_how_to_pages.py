"""Pages that say how something is done with files of one's own, with the program's source, and with systemd."""

import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dragonfly.broker import Broker
from dragonfly.subcommands.exit_status import Status
from dragonfly.testing import Mesh, RabbitMQNode
from dragonfly.testing.plugin import RunningBroker
from tests.pages import Reader, page_blocks
from tests.transcript import PATIENCE, Terminal, environment, program

AnyBroker = Broker | RabbitMQNode | RunningBroker

ROOT = Path(__file__).resolve().parent.parent
HOW_TO = ROOT / "docs" / "how_to"
EXAMPLES = ROOT / "examples"
LAB_HOST = HOW_TO / "lab_host.rst"
UNITS = sorted((EXAMPLES / "systemd").glob("*.service"))
SERVICE = EXAMPLES / "systemd" / "dragonfly@.service"
INSTALLED, SETTINGS = "/opt/dragonfly/bin/dragonfly", "/etc/dragonfly"
UNIT = pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)


def test_a_config_and_a_class_of_1_x_become_what_the_page_shows(broker: AnyBroker, tmp_path: Path) -> None:
    Reader(broker.address, tmp_path).read(HOW_TO / "migrate.rst")


@pytest.mark.parametrize("page", ["slack", "take_data", "watch_for_missing_data"])
def test_a_reader_gets_what_the_page_shows(page: str, broker: AnyBroker, tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    Reader(broker.address, tmp_path).read(HOW_TO / f"{page}.rst")


def test_the_tests_of_a_device_pass_as_the_page_shows(broker: AnyBroker, tmp_path: Path) -> None:
    for name in ("own_device.py", "own_device.yaml"):
        shutil.copy(EXAMPLES / name, tmp_path)
    Reader(broker.address, tmp_path).read(HOW_TO / "test_a_device.rst")


def test_additions_to_a_copy_of_the_program_work_as_the_page_shows(broker: AnyBroker, tmp_path: Path) -> None:
    for folder in ("dragonfly", "examples"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    page = HOW_TO / "extend.rst"
    Reader(broker.address, tmp_path).read(page)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)  # not before: pytest would take its options
    added = [block.caption for block in page_blocks(page) if block.caption.endswith(".py")]
    for check in (["check", "--quiet"], ["format", "--check", "--quiet"]):
        ruff = [sys.executable, "-m", "ruff", *check, "--no-cache", *added]
        done = subprocess.run(ruff, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 0, done.stdout + done.stderr


def content(path: Path) -> configparser.ConfigParser:
    """Return what a unit says, its variables by their own names: `Environment:DRAGONFLY_AUTH_FILE`."""
    text = re.sub(r"^Environment=(\w+)=", r"Environment:\1=", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    parser = configparser.ConfigParser(interpolation=None, delimiters="=", comment_prefixes="#")
    parser.optionxform = str  # keys keep their capital letters
    parser.read_string(text)
    return parser


@UNIT
def test_a_unit_has_a_user_credentials_the_network_and_comes_back(path: Path) -> None:
    unit = content(path)
    assert {"network-online.target", "rabbitmq-server.service"} <= set(unit["Unit"]["After"].split())
    assert unit["Unit"]["Wants"] == "network-online.target"
    service = unit["Service"]
    assert service["User"] == "dragonfly"
    assert service["Environment:DRAGONFLY_AUTH_FILE"] == f"{SETTINGS}/authentications.json"
    assert service["Restart"] == "on-failure"
    assert unit["Install"]["WantedBy"] == "multi-user.target"


@UNIT
def test_what_a_person_must_repair_is_not_started_again(path: Path) -> None:
    final = {int(status) for status in content(path)["Service"]["RestartPreventExitStatus"].split()}
    assert final == {Status.USAGE, Status.BAD_CONFIG}


def test_the_page_says_what_systemd_does_after_each_status() -> None:
    rows = re.findall(r"^   \* - (\d)\n     - .+\n     - (.+)$", LAB_HOST.read_text(encoding="utf-8"), re.MULTILINE)
    assert {int(status) for status, _ in rows} < {status.value for status in Status}
    final = content(SERVICE)["Service"]["RestartPreventExitStatus"].split()
    assert [status for status, does in rows if "a person must act" in does] == final


@UNIT
def test_systemd_finds_nothing_wrong_with_a_unit(path: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    stand_in = shutil.copy(sys.executable, tmp_path / "dragonfly")
    text = path.read_text(encoding="utf-8").replace(INSTALLED, str(stand_in))
    (tmp_path / path.name).write_text(text, encoding="utf-8")
    command = ["systemd-analyze", "verify", f"./{path.name}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, [line for line in done.stderr.splitlines() if path.stem.rstrip("@") in line]) == (0, [])


class LabHost:
    """The computer of the page, in a directory: its files, and what systemd would run.

    Args:
        root: the directory.
        address: HOST:PORT of the broker.
    """

    def __init__(self, root: Path, address: str) -> None:
        self._root = root
        self._address = address
        for block in page_blocks(LAB_HOST):
            if block.caption.startswith(SETTINGS):
                self.write(block.caption, block.text)
        self.user = json.loads(self._path("authentications.json").read_text(encoding="utf-8"))["amqp"]

    def write(self, name: str, text: str) -> None:
        """Write a file of the page, which only its owner can read."""
        path = self._path(name.removeprefix(f"{SETTINGS}/"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("=localhost", f"={self._address}"), encoding="utf-8")
        path.chmod(0o600)

    def command(self, unit: Path, instance: str = "") -> list[str]:
        """Return the words of a unit's ExecStart, without the program's."""
        name, *words = shlex.split(content(unit)["Service"]["ExecStart"].replace("%i", instance))
        assert name == INSTALLED
        return [word.replace(SETTINGS, str(self._path(""))) for word in words]

    def surroundings(self, unit: Path) -> dict[str, str]:
        """Return the environment that a unit gives its program."""
        service = content(unit)["Service"]
        file = service["EnvironmentFile"].removeprefix(f"-{SETTINGS}/")
        given = dict(line.split("=", 1) for line in self._path(file).read_text(encoding="utf-8").splitlines())
        credentials = service["Environment:DRAGONFLY_AUTH_FILE"].replace(SETTINGS, str(self._path("")))
        kept = {name: value for name, value in environment("").items() if not name.startswith("DRAGONFLY_")}
        return {**kept, **given, "DRAGONFLY_AUTH_FILE": credentials}

    def _path(self, name: str) -> Path:
        return self._root / "etc" / name


@pytest.fixture
def host(broker: AnyBroker, tmp_path: Path) -> Iterator[LabHost]:
    """Give the lab host; its user is on the broker, where that has users."""
    host = LabHost(tmp_path, broker.address)
    if not isinstance(broker, RabbitMQNode):
        host.write("authentications.json", '{"amqp": {"username": "guest", "password": "guest"}}')
        yield host
        return
    for line in re.findall(r"\$ sudo rabbitmqctl (.+)", LAB_HOST.read_text(encoding="utf-8")):
        words = shlex.split(line)
        if words != ["delete_user", "guest"]:  # other tests still need guest
            broker.ctl(*words, *([host.user["password"]] if words[0] == "add_user" else []))
    yield host
    broker.ctl("delete_user", host.user["username"])


def test_a_service_is_run_as_its_unit_says_and_ends_in_order(host: LabHost, mesh: Mesh, tmp_path: Path) -> None:
    words = host.command(SERVICE, "my_store")
    terminal = Terminal(words, host.surroundings(SERVICE), "starting event loop for node my_store", tmp_path)
    try:
        assert mesh.client.get("peaches").payload == {"value_raw": "0.75"}
    finally:
        printed = terminal.close()
    assert any("my_store has stopped" in line for line in printed)
    assert not any("WARNING" in line or "ERROR" in line for line in printed)


def test_a_wrong_file_ends_a_service_for_good(host: LabHost, tmp_path: Path) -> None:
    host.write("broken.yaml", "name: broken\nendpoints: 1\n")
    done = subprocess.run(
        program(host.command(SERVICE, "broken")),
        env=host.surroundings(SERVICE),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == Status.BAD_CONFIG
    assert "broken.yaml:2" in done.stderr


def test_the_watchdog_is_run_as_its_unit_says(host: LabHost, tmp_path: Path) -> None:
    unit = EXAMPLES / "systemd" / "dragonfly-watchdog.service"
    watching = "starting to watch alerts 'sensor_value.#', none of which may be away for 600 s"
    Terminal(host.command(unit), host.surroundings(unit), watching, tmp_path).close()


def test_the_file_of_the_page_is_checked_with_what_it_shows(host: LabHost, tmp_path: Path) -> None:
    (shown,) = [
        line for block in page_blocks(LAB_HOST) for line in block.lines if line.startswith(f"{SETTINGS}/my_store.yaml:")
    ]
    file = os.fspath(tmp_path / "etc" / "my_store.yaml")
    done = subprocess.run(
        program(["check", "-c", file]), env=host.surroundings(SERVICE), capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.stdout.replace(file, f"{SETTINGS}/my_store.yaml").strip() == shown

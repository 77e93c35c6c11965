"""The documentation: complete, and true of the program beside it."""

import re
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dragonfly.broker import Broker
from dragonfly.subcommands.exit_status import Status
from dragonfly.testing import Mesh, RabbitMQNode
from dragonfly.testing.plugin import RunningBroker
from tests.transcript import PATIENCE, Command, Session, Terminal, blocks, commands, environment, masked, printed_by

AnyBroker = Broker | RabbitMQNode | RunningBroker

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = {path.relative_to(DOCS).with_suffix("").as_posix(): path for path in DOCS.rglob("*.rst")}
TUTORIAL = PAGES["tutorials/kv_store"]
USERS = PAGES["how_to/users"]
SCRIPT = PAGES["how_to/script"]
GETTING_STARTED = PAGES["getting_started"]
START_UP_LOG = TUTORIAL.with_name("kv_store_service_startup_output.log")
EXAMPLE = ROOT / "examples" / "kv_store_tutorial.yaml"
TOCTREE = re.compile(r"^\.\. toctree::\n(?P<body>(?: +\S.*\n|\n)+)", re.MULTILINE)


def listed_by(page: str) -> Iterator[str]:
    """Yield the pages in the tables of contents of a page."""
    for table in TOCTREE.finditer(PAGES[page].read_text(encoding="utf-8") + "\n"):
        for entry in table["body"].split():
            if "*" in entry:
                yield from (name for name, path in PAGES.items() if path.relative_to(DOCS).match(f"{entry}.rst"))
            elif entry in PAGES:
                yield entry


def test_every_page_can_be_reached_from_the_first() -> None:
    reached: set[str] = set()
    waiting = ["index"]
    while waiting:
        page = waiting.pop()
        if page not in reached:
            reached.add(page)
            waiting.extend(listed_by(page))
    assert reached == set(PAGES)


def test_the_page_that_an_error_text_names_is_there() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "dragonfly").rglob("*.py")]
    named = [page for source in sources for page in re.findall(r"see docs/([\w/]+)", source)]
    assert named
    assert set(named) <= set(PAGES)


def test_the_highlighted_lines_are_blocks_of_the_example() -> None:
    option = re.search(r":emphasize-lines: (\S+)", TUTORIAL.read_text(encoding="utf-8"))
    assert option is not None
    assert option[1] == "1-4,8-14,22-27"
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    begins = [number for number, line in enumerate(lines, start=1) if line.strip(" -").startswith("name:")]
    for stripe in option[1].split(","):
        first, last = map(int, stripe.split("-"))
        assert first in begins
        assert begins[begins.index(first) + 1] == last + 1


def test_old_instructions_find_what_replaced_their_script() -> None:
    assert "\n.. _open_spimescape_portal:\n" in TUTORIAL.read_text(encoding="utf-8")


def test_the_start_up_log_is_what_serve_prints(broker: AnyBroker) -> None:
    words = ["serve", "-c", str(EXAMPLE.relative_to(ROOT)), "-vvv", "-b", broker.address]
    terminal = Terminal(words, environment(broker.address), "starting event loop for node my_store")
    try:
        printed = [line for line in terminal.lines if "] dragonfly." in line]
    finally:
        terminal.close()
    assert masked(printed) == masked(START_UP_LOG.read_text(encoding="utf-8").splitlines())


def test_the_tutorial_prints_what_it_shows(broker: AnyBroker) -> None:
    Session(broker.address).follow(TUTORIAL)


def test_help_shows_what_the_tutorial_shows_of_it() -> None:
    (shown,) = [block.lines for block in blocks(TUTORIAL) if block.language == "pycon"]
    typed = [line.removeprefix(">>> ") for line in shown if line.startswith(">>> ")]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(typed)],
        env={**environment(""), "PAGER": "cat"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    printed = iter([line.rstrip() for line in done.stdout.splitlines()])
    # In this order; the tutorial leaves out the line with the arguments, which each Python writes in its own way.
    assert [line for line in shown[len(typed) :] if line.rstrip() not in printed] == []


def test_a_service_without_a_broker_says_what_the_tutorial_shows() -> None:
    (shown,) = [block.lines for block in blocks(TUTORIAL) if block.language == "none"]
    with socket.socket() as taken:  # bound and not listening: whoever connects is refused
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        words = ["serve", "-c", str(EXAMPLE), "-b", address]
        terminal = Terminal(words, environment(address), "trying on")
        try:
            terminal.wait_for(shown)
        finally:
            terminal.close()


def test_a_device_of_ones_own_answers_what_its_page_shows(broker: AnyBroker) -> None:
    Session(broker.address).follow(PAGES["how_to/own_device"])


def test_a_script_prints_what_its_page_shows(broker: AnyBroker, mesh: Mesh) -> None:
    mesh.serve(EXAMPLE)
    shown = list(blocks(SCRIPT))
    code = "\n".join("\n".join(block.lines) for block in shown if block.language == "python")
    output = [line for block in shown if block.language == "text" for line in block.lines]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code.replace('"localhost"', repr(broker.address))],
        env=environment(broker.address),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == output


def test_the_embedded_broker_says_what_getting_started_shows() -> None:
    (command,) = [each for block in blocks(GETTING_STARTED) for each in commands(block)]
    terminal = Terminal([*command.words, "--port", "0"], environment(""), "embedded AMQP broker on")
    try:
        terminal.wait_for(command.shown)
    finally:
        terminal.close()


def test_the_python_of_getting_started_does_what_it_says(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    names: dict[str, Any] = {}
    for block in blocks(GETTING_STARTED):
        if block.language == "python":
            exec("\n".join(block.lines), names)
    names["test_the_oven_can_be_read"](mesh)


def test_finding_out_what_is_there_prints_what_its_page_shows(
    broker: AnyBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = PAGES["how_to/find_and_complete"]
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    shutil.copytree(EXAMPLE.parent, tmp_path / "examples")
    (file,) = ["\n".join(block.lines) for block in blocks(page) if block.language == "yaml"]
    (tmp_path / "store.yaml").write_text(file, encoding="utf-8")
    taken, documented = [block.lines for block in blocks(page) if block.language == "none"]

    def look() -> None:
        words = ["check", "--live", "-c", "examples/kv_store.yaml", "-b", broker.address]
        said = " ".join(printed_by(words, environment(broker.address), directory=tmp_path))
        assert taken[0].partition(" of alice")[0] in said
        printed = iter(printed_by(["doc", "kv_store_key"], environment(broker.address)))
        assert [line for line in documented if line not in printed] == []  # in this order

    Session(broker.address, tmp_path).follow(page, look)


def test_all_exit_statuses_are_listed() -> None:
    listed = re.findall(r"^   \* - (\d+)$", PAGES["reference/codes"].read_text(encoding="utf-8"), re.MULTILINE)
    assert [int(number) for number in listed] == [status.value for status in Status]


class Visitor:
    """Somebody on another computer, with the page about users open; `broker.lab` is the broker of the test."""

    def __init__(self, node: RabbitMQNode, home: Path) -> None:
        self.node = node
        self._home = home

    def prints(self, command: Command, user: str = "", password: str = "") -> list[str]:
        surroundings = {**environment(self.node.address), "HOME": str(self._home)}
        surroundings |= {"DRAGONFLY_USER": user, "DRAGONFLY_PASSWORD": password}
        words = [word.replace("broker.lab", self.node.address) for word in command.words]
        return [line.replace(self.node.address, "broker.lab") for line in printed_by(words, surroundings)]

    def writes_file(self, content: str) -> None:
        file = self._home / ".project8_authentications.json"
        file.write_text(content, encoding="utf-8")
        file.chmod(0o600)


@pytest.fixture
def visitor(broker: AnyBroker, mesh: Mesh, tmp_path: Path) -> Iterator[Visitor]:
    """Give a visitor, whose user is there but may do nothing yet, and the store."""
    if not isinstance(broker, RabbitMQNode):
        pytest.skip("this server is somebody else's: no users are made on it")
    mesh.serve(EXAMPLE)
    broker.ctl("add_user", "alice", "correct horse")
    yield Visitor(broker, tmp_path)
    broker.ctl("delete_user", "alice")


@pytest.mark.rabbitmq
def test_a_user_gets_in_as_the_page_says(visitor: Visitor) -> None:
    page = USERS.read_text(encoding="utf-8")
    _, by_url, by_name = [command for block in blocks(USERS) for command in commands(block)]
    says = re.findall(r"^   \* - ``(.+)``$", page, re.MULTILINE)
    wrong_password, no_permission, *_ = says

    assert no_permission in visitor.prints(by_name, "alice", "correct horse")[0]
    grant = re.search(r"\$ sudo rabbitmqctl (set_permissions .+)", page)
    assert grant is not None
    visitor.node.ctl(*shlex.split(grant[1]))
    assert wrong_password in visitor.prints(by_name, "alice", "wrong")[0]
    assert visitor.prints(by_name, "alice", "correct horse") == by_name.shown
    assert visitor.prints(by_url) == by_url.shown

    (file,) = ["\n".join(block.lines) for block in blocks(USERS) if block.language == "json"]
    visitor.writes_file(file)
    assert visitor.prints(by_name) == by_name.shown
    visitor.writes_file(file.replace("correct", "wrong"))
    assert wrong_password in visitor.prints(by_name)[0]

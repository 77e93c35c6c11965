"""The documentation: complete, and true of the program beside it."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from dragonfly.subcommands.exit_status import Status
from dragonfly.testing import Mesh, RabbitMQNode
from tests.transcript import Command, Session, Terminal, blocks, commands, environment, masked, printed_by

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = {path.relative_to(DOCS).with_suffix("").as_posix(): path for path in DOCS.rglob("*.rst")}
TUTORIAL = PAGES["tutorials/kv_store"]
USERS = PAGES["how_to/users"]
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
    source = (ROOT / "dragonfly" / "core" / "amqp" / "connection.py").read_text(encoding="utf-8")
    named = re.findall(r"see docs/([\w/]+)", source)
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


def test_the_start_up_log_is_what_serve_prints(broker: RabbitMQNode) -> None:
    words = ["serve", "-c", str(EXAMPLE.relative_to(ROOT)), "-vvv", "-b", broker.address]
    terminal = Terminal(words, environment(broker.address), "starting event loop for node my_store")
    try:
        printed = [line for line in terminal.lines if "] dragonfly." in line]
    finally:
        terminal.close()
    assert masked(printed) == masked(START_UP_LOG.read_text(encoding="utf-8").splitlines())


def test_the_tutorial_prints_what_it_shows(broker: RabbitMQNode) -> None:
    Session(broker.address).follow(TUTORIAL)


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
        (self._home / ".project8_authentications.json").write_text(content, encoding="utf-8")


@pytest.fixture
def visitor(broker: RabbitMQNode, mesh: Mesh, tmp_path: Path) -> Iterator[Visitor]:
    """Give a visitor, whose user is there but may do nothing yet, and the store."""
    if not isinstance(broker, RabbitMQNode):
        pytest.skip("this server is somebody else's: no users are made on it")
    mesh.serve(EXAMPLE)
    broker.ctl("add_user", "alice", "correct horse")
    yield Visitor(broker, tmp_path)
    broker.ctl("delete_user", "alice")


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

"""All pages at once: nothing that they show of a shell or of Python is left to trust, and nothing is left out.

1. A block of a shell or of Python is run by a test, or has a comment directly before it: `.. not run: REASON`.
   FOLLOWED says which test runs those of a page, and which programs it runs. Only a block of language `console` is run;
   one that is called `none` or `text` has no command of a shell.
2. Every example is mentioned, and every public class is in the reference.

Other things that hold for all pages are tested elsewhere: each can be reached (test_docs.py), each link leads somewhere
(the build, with -W), and each key has its unit (core/test_documentation.py).
"""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from dragonfly import core, implementations, testing
from tests.pages import RUN, PageBlock, page_blocks
from tests.transcript import PROGRAMS

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
TESTS = ROOT / "tests"
EXAMPLES = ROOT / "examples"
PAGES = {path.relative_to(DOCS).with_suffix("").as_posix(): path for path in DOCS.rglob("*.rst")}
SHELL, PYTHON = {"console", "bash", "sh", "shell", "zsh"}, {"python", "pycon", "ipython"}
# What is typed, in a block that pretends to be a text; the words of a drawing are further apart.
TYPED = re.compile(r"\$ |(dragonfly|dripline_agent|pip)( \S+)+$")
OURS = frozenset(PROGRAMS)
READERS = frozenset({*RUN, "pip"})


class By(NamedTuple):
    """A test that does what a page shows.

    Args:
        file: the test's file.
        test: its name.
        programs: those that it runs, of the commands of the page.
        languages: what else of the page it runs.
    """

    file: str
    test: str
    programs: frozenset[str] = OURS
    languages: frozenset[str] = frozenset()


_PYTHON, _PYCON = frozenset({"python"}), frozenset({"python", "pycon"})
_HOW_TO = By("test_how_to.py", "test_the_commands_print_what_the_page_shows")
_READER = By("test_how_to_pages.py", "test_a_reader_gets_what_the_page_shows", READERS)
_TUTORIALS = By("test_tutorials.py", "test_a_tutorial_prints_what_it_shows", READERS, _PYCON)
FOLLOWED = {
    "getting_started": [
        By("test_docs.py", "test_the_embedded_broker_says_what_getting_started_shows"),
        By("test_docs.py", "test_the_python_of_getting_started_does_what_it_says", frozenset(), _PYTHON),
    ],
    "tutorials/kv_store": [
        By("test_docs.py", "test_the_tutorial_prints_what_it_shows"),
        By("test_docs.py", "test_help_shows_what_the_tutorial_shows_of_it", frozenset(), _PYCON),
    ],
    "tutorials/config_file": [_TUTORIALS],
    "tutorials/own_endpoint": [_TUTORIALS],
    "tutorials/scripting": [
        By(
            "test_tutorials.py",
            "test_the_scripts_of_the_tutorial_print_what_it_shows_and_write_a_table",
            READERS,
            _PYCON,
        )
    ],
    "how_to/audit": [By("test_how_to.py", "test_the_audit_file_holds_what_the_page_shows")],
    "how_to/consume_alerts": [
        By("test_how_to.py", "test_alerts_are_stored_as_the_page_says", OURS, _PYTHON),
    ],
    "how_to/extend": [
        By(
            "test_how_to_pages.py",
            "test_additions_to_a_copy_of_the_program_work_as_the_page_shows",
            READERS,
            _PYTHON,
        )
    ],
    "how_to/find_and_complete": [By("test_docs.py", "test_finding_out_what_is_there_prints_what_its_page_shows")],
    "how_to/lock_endpoints": [
        _HOW_TO,
        By("test_how_to.py", "test_a_lock_is_used_from_python_as_the_page_says", frozenset(), _PYTHON),
    ],
    "how_to/log_values": [_HOW_TO],
    "how_to/migrate": [
        By("test_how_to_pages.py", "test_a_config_and_a_class_of_1_x_become_what_the_page_shows", READERS, _PYTHON)
    ],
    "how_to/own_device": [
        By("test_docs.py", "test_a_device_of_ones_own_answers_what_its_page_shows"),
        By("test_how_to.py", "test_the_guard_cools_an_oven_that_is_too_hot", frozenset(), _PYTHON),
    ],
    "how_to/script": [By("test_docs.py", "test_a_script_prints_what_its_page_shows", frozenset(), _PYTHON)],
    "how_to/set_up_and_shut_down": [_HOW_TO],
    "how_to/test_a_device": [
        By("test_how_to_pages.py", "test_the_tests_of_a_device_pass_as_the_page_shows", READERS, _PYTHON)
    ],
    "how_to/users": [By("test_docs.py", "test_a_user_gets_in_as_the_page_says")],
    "how_to/slack": [_READER],
    "how_to/take_data": [_READER],
    "how_to/watch_for_missing_data": [_READER],
    "explanations/security": [
        By("mesh/test_permission_sets.py", "test_the_page_has_commands_for_each_user", frozenset({"sudo"})),
        By("mesh/test_permission_sets.py", "test_a_display_reads_alerts_and_asks_nothing"),
    ],
}
# The same as the comments, for blocks whose pages are better without one: by page and by the first line.
NOT_RUN = {
    (
        "how_to/users",
        "$ sudo rabbitmqctl add_user alice",
    ): "the test of the page makes this user, on a server of its own",
    (
        "how_to/users",
        "$ sudo rabbitmqctl set_permissions alice '.*' '.*' '.*'",
    ): "the test of the page does, as `rabbitmqctl`",
    ("how_to/users", "$ sudo rabbitmq-diagnostics listeners"): "it tells about the server of a whole computer",
    (
        "how_to/users",
        "$ export DRAGONFLY_USER=alice DRAGONFLY_PASSWORD='correct horse'",
    ): "the test sets the environment",
    ("how_to/find_and_complete", "dragonfly completion bash >> ~/.bashrc"): "it changes the home directory",
    (
        "explanations/security",
        "$ dragonfly set peaches 1 -b amqp://display:...@broker.lab",
    ): "tests/mesh/test_permission_sets.py does",
}
BLOCKS = [(name, block) for name, path in PAGES.items() for block in page_blocks(path)]


def programs_of(block: PageBlock) -> list[str]:
    """Return the programs that a block of a shell calls, each by its first word; of one without `$`, all its lines'."""
    typed = [line[2:] for line in block.lines if line.startswith("$ ")]
    if not typed and block.language in SHELL:
        typed = block.lines
    return [line.split()[0] for line in typed if line.strip()]


def left_to_trust(page: str, block: PageBlock) -> list[str]:
    """Return what of a block no test runs, and no reason excuses."""
    if block.reason or (page, block.lines[0]) in NOT_RUN:
        return []
    tests = FOLLOWED.get(page, [])
    run = {program for test in tests for program in test.programs} if block.language == "console" else set()
    needed = set(programs_of(block)) - run
    if block.language in PYTHON and not any(block.language in test.languages for test in tests):
        needed.add(block.language)
    return [f"{page}.rst:{block.line}: {what}" for what in sorted(needed)]


def test_every_block_of_a_shell_or_of_python_is_run_or_says_why_not() -> None:
    assert [line for page, block in BLOCKS for line in left_to_trust(page, block)] == []


def hidden_commands(block: PageBlock) -> list[str]:
    """Return the commands of a block that says that it has none."""
    return [line for line in block.lines if TYPED.match(line)] if block.language in ("none", "text") else []


def test_no_command_hides_in_a_block_without_a_language() -> None:
    assert [f"{page}.rst:{block.line}: {line}" for page, block in BLOCKS for line in hidden_commands(block)] == []


@pytest.mark.parametrize(
    ("language", "line", "is_hidden"),
    [
        ("none", "dragonfly list", True),
        ("text", "$ sudo reboot", True),
        ("none", "pip install slack_sdk", True),
        ("text", "dragonfly get     dragonfly     a Python", False),
        ("none", "*/10 * * * *  dragonfly list", False),
        ("console", "$ dragonfly list", False),
    ],
)
def test_a_hidden_command_is_told_from_a_drawing(language: str, line: str, is_hidden: bool) -> None:
    assert bool(hidden_commands(PageBlock(language, [line], "", "", 1))) is is_hidden


def test_a_block_that_nobody_runs_is_seen() -> None:
    def missing(language: str, line: str, reason: str = "", page: str = "how_to/script") -> list[str]:
        return [text.rpartition(" ")[2] for text in left_to_trust(page, PageBlock(language, [line], "", reason, 1))]

    assert missing("console", "$ dragonfly get peaches") == ["dragonfly"]
    assert missing("none", "$ sudo reboot", page="how_to/log_values") == ["sudo"]
    assert missing("bash", "reboot") == ["reboot"]
    assert missing("bash", "dragonfly list", page="how_to/log_values") == ["dragonfly"]
    assert missing("python", "print()", page="how_to/log_values") == ["python"]
    assert missing("python", "print()") == missing("none", "a drawing") == []
    assert missing("console", "$ sudo reboot", "it changes the computer") == []


@pytest.mark.parametrize("page", FOLLOWED)
def test_the_test_that_is_said_to_follow_a_page_is_there(page: str) -> None:
    assert page in PAGES
    for file, test, _, _ in FOLLOWED[page]:
        source = (TESTS / file).read_text(encoding="utf-8")
        assert f"def {test}(" in source
        assert page.rpartition("/")[2] in source.lower()


def test_the_blocks_that_have_a_reason_elsewhere_are_there() -> None:
    assert set(NOT_RUN) <= {(page, block.lines[0]) for page, block in BLOCKS}
    assert all(NOT_RUN.values())


def test_every_comment_about_a_block_that_is_not_run_stands_before_a_block() -> None:
    written = sum(
        len(re.findall(r"^ *\.\. not run:", path.read_text("utf-8"), re.MULTILINE)) for path in PAGES.values()
    )
    shown = sum(line.startswith(".. not run:") for _, block in BLOCKS for line in block.lines)
    assert written - shown == sum(bool(block.reason) for _, block in BLOCKS)


def test_every_example_is_mentioned_in_a_page() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in PAGES.values())
    examples = [path for path in EXAMPLES.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert [path.name for path in examples if f"examples/{path.relative_to(EXAMPLES).as_posix()}" not in text] == []


def test_every_public_class_is_in_the_reference_and_says_what_it_is() -> None:
    pages = "\n".join(path.read_text("utf-8") for name, path in PAGES.items() if name.startswith("reference/"))
    public = [getattr(core, name) for name in core.__all__] + [getattr(testing, name) for name in testing.__all__]
    classes = {thing for thing in public if isinstance(thing, type)}
    missing = [each.__name__ for each in classes if not re.search(rf"auto\w+:: [\w.]+\.{each.__name__}\n", pages)]
    assert missing == []
    everything = [*classes, *(getattr(implementations, name) for name in implementations.TABLE)]
    assert [each.__name__ for each in everything if not (vars(each).get("__doc__") or "").strip()] == []

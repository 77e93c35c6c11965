"""A page of the documentation, followed by a reader: somebody with an empty directory, who does all that it shows.

1. A block with a `:caption:` is a file of that name, which is written when the reader comes to it.
2. A block of language `diff` with a caption changes a file that is there: lines with `-` go, and those with `+` come.
3. A block of language `console` holds commands, as in tests/transcript.py. Beside this project's programs, `python` is
   run, and so is `cp`; `pip install DIRECTORY` installs that into a directory of the reader's own, with what pip says
   left out.
4. A block of language `pycon` is typed into a Python that goes on over the whole page.
5. A block of language `text` is what the monitor prints meanwhile.
6. What stands directly below a comment `.. not run: REASON` is passed over; so is a `yaml`, `python` or `none` block
   without a caption, which a test of its own looks at.
"""

import doctest
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.transcript import PATIENCE, PROGRAMS, READY, Command, Session, masked, program

BLOCK = re.compile(
    r"(?P<mark>^(?P<outside> *)\.\. not run: (?P<reason>\S.*)\n(?:(?P=outside)   .*\n)*\n)?"
    r"^(?P<indent> *)\.\. code-block:: (?P<language>\w+)\n"
    r"(?P<options>(?:(?P=indent) +:[\w-]+:.*\n)*)"
    r"\n(?P<body>(?:(?P=indent) +\S.*\n|\n)+)",
    re.MULTILINE,
)
CAPTION = re.compile(r":caption: (\S+)$", re.MULTILINE)
# What two readers have not in common, beside what no two runs have.
OWN = [
    (re.compile(r"in \d+\.\d+s"), "in SECONDS"),  # pytest
    (re.compile(r"/\S+/site(-packages)?/"), "SITE/"),  # where packages are installed
    (re.compile(r"^(my_daq\(ret:0\): {'value_raw': )5\d\.\d|(takes data for) \d+ s", re.MULTILINE), r"\1\2 SECONDS"),
    (re.compile(r"served by (\w+) of \S+ on \S+ \(\S+\)"), r"served by \1"),
]
# What a reader can run: a program of ours, or the path of another one.
RUN = {**PROGRAMS, "python": sys.executable, "cp": "cp"}
SITE = "site"


class PageBlock(NamedTuple):
    """A block of a page.

    Args:
        language: its language.
        lines: its text.
        caption: the file that it is; empty where it is none.
        reason: why it is not run; empty where it is.
        line: the number of its first line, that of the directive, in the page.
    """

    language: str
    lines: list[str]
    caption: str
    reason: str
    line: int

    @property
    def text(self) -> str:
        """The text, with a line end."""
        return "\n".join(self.lines) + "\n"


def page_blocks(page: Path) -> Iterator[PageBlock]:
    """Yield the blocks of a page, in their order."""
    text = page.read_text(encoding="utf-8") + "\n"
    for match in BLOCK.finditer(text):
        lines = match["body"].rstrip().split("\n")
        width = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
        caption = CAPTION.search(match["options"])
        number = text.count("\n", 0, match.end("mark") if match["mark"] else match.start()) + 1
        yield PageBlock(
            match["language"],
            [line[width:] for line in lines],
            caption[1] if caption else "",
            match["reason"] or "",
            number,
        )


def typed_in(lines: list[str]) -> Iterator[tuple[list[str], list[str]]]:
    """Yield the words of each command of a block, its program first, and the lines that are shown below it."""
    starts = [number for number, line in enumerate(lines) if line.startswith("$ ")]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield shlex.split(lines[start][2:]), lines[start + 1 : end]


def changed(text: str, change: list[str]) -> str:
    """Return a text after a change: lines that begin with `-` are gone, those with `+` are there, others stay.

    Raises:
        AssertionError: the text does not have the lines that go or stay, one below the other, or has them twice.
    """
    old = "".join(f"{line[1:]}\n" for line in change if not line.startswith("+"))
    new = "".join(f"{line[1:]}\n" for line in change if not line.startswith("-"))
    assert f"\n{text}".count(f"\n{old}") == 1, f"expected once:\n{old}"
    return f"\n{text}".replace(f"\n{old}", f"\n{new}")[1:]


def compared(lines: list[str]) -> list[str]:
    """Return what is printed, or shown, without what two readers have not in common, and no empty lines at its end."""
    text = "\n".join(line.rstrip() for line in lines).rstrip("\n")
    for pattern, name in OWN:
        text = pattern.sub(name, text)
    return masked(text.split("\n"))


class Reader(Session):
    """Somebody who follows pages.

    Args:
        address: HOST:PORT of the broker that stands in for the one on localhost.
        directory: where the files are written and the commands typed.
    """

    def __init__(self, address: str, directory: Path) -> None:
        super().__init__(address, directory)
        paths = [directory, directory / SITE, self._surroundings["PYTHONPATH"]]
        self._surroundings["PYTHONPATH"] = os.pathsep.join(map(str, paths))
        self._python: dict[str, Any] = {}

    def read(self, page: Path) -> None:
        """Do what a page shows.

        Raises:
            AssertionError: something else is printed than it shows.
        """
        try:
            for block in page_blocks(page):
                if not block.reason:
                    self._do(block)
            self._look_at_terminals()
        finally:
            for terminal, _ in self._terminals.values():
                terminal.close()

    def _do(self, block: PageBlock) -> None:
        if block.caption:
            self._write(block)
        elif block.language == "console":
            for words, shown in typed_in(block.lines):
                self._enter(words, shown)
        elif block.language == "pycon":
            self._type_into_python(block)
        elif block.language == "text":
            self._terminals["monitor"][0].wait_for(block.lines)

    def _write(self, block: PageBlock) -> None:
        file = self._directory / block.caption
        assert file.resolve().is_relative_to(self._directory.resolve()), f"{block.caption} is not the reader's own"
        file.parent.mkdir(parents=True, exist_ok=True)
        if block.language == "diff":
            text = changed(file.read_text(encoding="utf-8"), block.lines)
        else:
            text = block.text.replace('"localhost"', repr(self._address))
        file.write_text(text, encoding="utf-8")

    def _enter(self, words: list[str], shown: list[str]) -> None:
        name, *arguments = words
        if name in PROGRAMS and arguments[0] in READY and "-h" not in arguments:
            self._type(Command(arguments, shown, name))
        elif name in RUN:
            printed = self._run(program(arguments, name) if name in PROGRAMS else [RUN[name], *arguments])
            assert compared(printed) == compared(shown), shlex.join(words)
        elif words[:2] == ["pip", "install"]:
            self._install(self._directory / words[2])
        else:
            raise AssertionError(f"{shlex.join(words)} is neither run nor marked with `.. not run: REASON`")

    def _install(self, source: Path) -> None:
        """Install a package by setuptools alone: pip would look for what builds it on the network."""
        where = ["--install-dir", str(self._directory / SITE)]
        steps = ["build", "install_lib", *where, "install_egg_info", *where]
        printed = self._run([sys.executable, "-c", "import setuptools; setuptools.setup()", "--quiet", *steps], source)
        assert list((self._directory / SITE).glob("*.egg-info")), "\n".join(printed)

    def _run(self, command: list[str], directory: Path | None = None) -> list[str]:
        done = subprocess.run(
            command,
            env={**self._surroundings, "PYTHONDONTWRITEBYTECODE": "1"},
            cwd=directory or self._directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE * 4,
        )
        return done.stdout.rstrip().split("\n")

    def _type_into_python(self, block: PageBlock) -> None:
        text = block.text.replace('"localhost"', repr(self._address))
        example = doctest.DocTestParser().get_doctest(text, self._python, "the page", None, block.line)
        said: list[str] = []
        doctest.DocTestRunner(verbose=False).run(example, out=said.append, clear_globs=False)
        assert not said, "".join(said)
        self._python = example.globs

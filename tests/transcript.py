"""What the documentation shows of a terminal, done again: the commands, and what they print.

1. A block of language `console` holds commands, each after `$ `, and below each what it prints. Those of this project's
   programs are run, in the order of the page.
2. `monitor` and `serve` stay, each in a terminal of its own; a new one ends the one before. What is shown below them
   has been printed, among other things, by the end of the page.
3. A block of language `text` is what the monitor prints meanwhile.
4. What differs from run to run is masked, in what is shown and in what is printed.
5. A lockout key that a page shows stands, in the commands after that, for the one that was printed in its place.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 30.0
READY = {"monitor": "starting to monitor", "serve": "starting event loop"}
MASKS = [
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", "TIME"),
    (r"\(\d+\) ->", "(LINE) ->"),
    (r"request_reply[0-9a-f-]{36}", "request_reply"),
    (r'"(username|exe|hostname|version|commit)": "[^"]*"', r'"\1": ""'),
    (r"broker (on )?(localhost|127\.0\.0\.1)(:\d+)?", r"broker \1HOST"),
    (r"\b[0-9a-f]{32}\b", "KEY"),
    (r"locked by \S+ on \S+ since", "locked by USER on HOST since"),
    (r"'user': '[^']*', 'host': '[^']*', 'lease': \d[\d.]*", "'user': '', 'host': '', 'lease': SECONDS"),
    (r"'user': '[^']*', 'host': '[^']*'", "'user': '', 'host': ''"),
    (r"'(busy_s|uptime_s)': [\d.]+", r"'\1': SECONDS"),
    (r"\S+@\S+ \(\S+\): ", "USER@HOST (EXE): "),
]
KEY = re.compile(r"\b[0-9a-f]{32}\b")
PROGRAMS = {
    "dragonfly": "from dragonfly.cli import entry; entry()",
    "dripline_agent": "from dragonfly.old_programs import agent_entry; agent_entry()",
}
BLOCK = re.compile(
    r"^(?P<indent> *)\.\. code-block:: (?P<language>\w+)\n\n(?P<body>(?:(?P=indent) +\S.*\n|\n)+)"
    r"|^```(?P<fenced>\w+)\n(?P<text>(?:.*\n)*?)```$",
    re.MULTILINE,
)


class Block(NamedTuple):
    """A block of a page: its language and its lines."""

    language: str
    lines: list[str]


class Command(NamedTuple):
    """A command as it is typed after its program's name, and the lines that are shown below it."""

    words: list[str]
    shown: list[str]
    program: str = "dragonfly"


def masked(lines: list[str]) -> list[str]:
    """Return lines without what no two runs have in common."""
    text = "\n".join(line.rstrip() for line in lines)
    for pattern, name in MASKS:
        text = re.sub(pattern, name, text)
    return text.split("\n")


def blocks(page: Path) -> Iterator[Block]:
    """Yield the blocks of a page in reStructuredText or Markdown that name a language."""
    for match in BLOCK.finditer(page.read_text(encoding="utf-8")):
        lines = (match["body"] or match["text"]).rstrip().split("\n")
        width = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
        yield Block(match["language"] or match["fenced"], [line[width:] for line in lines])


def commands(block: Block) -> Iterator[Command]:
    """Yield the commands of this project's programs in a block; only those of language `console` have any."""
    if block.language != "console":
        return
    lines = block.lines
    typed = [number for number, line in enumerate(lines) if line.startswith("$ ")]
    for start, end in zip(typed, [*typed[1:], len(lines)], strict=True):
        if lines[start].split()[1] in PROGRAMS:
            words = shlex.split(lines[start][2:])
            yield Command(words[1:], lines[start + 1 : end], words[0])


def keys_in(lines: list[str]) -> list[str]:
    """Return the lockout keys that lines show."""
    return [key for line in lines for key in KEY.findall(line)]


def environment(address: str) -> dict[str, str]:
    """Return what a program finds around it: the broker that stands in for the one on localhost, and user guest."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DRAGONFLY_")}
    user = {"DRAGONFLY_USER": "guest", "DRAGONFLY_PASSWORD": "guest"}
    # A terminal shows stdout and stderr in the order of the prints, which a pipe does not unless it is unbuffered.
    terminal = {"COLUMNS": "80", "PYTHONUNBUFFERED": "1"}
    return {**kept, **user, **terminal, "DRAGONFLY_BROKER": address, "PYTHONPATH": str(ROOT)}


def program(words: list[str], name: str = "dragonfly") -> list[str]:
    """Return the command that runs a program of this checkout."""
    return [sys.executable, "-c", PROGRAMS[name], *words]


def printed_by(
    words: list[str], surroundings: dict[str, str], name: str = "dragonfly", directory: Path = ROOT
) -> list[str]:
    """Run a command that ends and return the lines it prints."""
    done = subprocess.run(
        program(words, name),
        env=surroundings,
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
    )
    return done.stdout.rstrip().split("\n")


class Terminal:
    """A terminal with a command that stays.

    Args:
        words: the command.
        surroundings: its environment.
        ready: what it prints when it is ready; the constructor waits for that.
        directory: where it is typed.
    """

    def __init__(self, words: list[str], surroundings: dict[str, str], ready: str, directory: Path = ROOT) -> None:
        with tempfile.NamedTemporaryFile(prefix="dragonfly-docs-", delete=False) as output:
            self._path = Path(output.name)
            self._process = subprocess.Popen(
                program(words), env=surroundings, cwd=directory, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        self.wait_for([ready])

    @property
    def lines(self) -> list[str]:
        """What it has printed so far."""
        return self._path.read_text(encoding="utf-8").split("\n")

    def wait_for(self, lines: list[str]) -> None:
        """Wait until it has printed these lines, one below the other.

        Raises:
            AssertionError: it has not, and its time is over, or it ended.
        """
        deadline = time.monotonic() + PATIENCE
        wanted = "\n".join(masked(lines))
        while wanted not in "\n".join(masked(self.lines)):
            if self._process.poll() is not None or time.monotonic() > deadline:
                printed = "\n".join(masked(self.lines))
                self.close()
                raise AssertionError(f"not printed:\n{wanted}\nbut:\n{printed}")
            time.sleep(0.02)

    def close(self) -> list[str]:
        """End the command, wait for its end and return all that it has printed."""
        self._process.terminate()
        self._process.wait(PATIENCE)
        printed = self.lines
        self._path.unlink()
        return printed


class Session:
    """A person with some terminals, who does what a page shows.

    Args:
        address: HOST:PORT of the broker that stands in for the one on localhost.
        directory: where the commands are typed.
    """

    def __init__(self, address: str, directory: Path = ROOT) -> None:
        self._address = address
        self._directory = directory
        self._surroundings = environment(address)
        self._terminals: dict[str, tuple[Terminal, list[str]]] = {}
        self._keys: dict[str, str] = {}

    def follow(self, page: Path, finally_look: Callable[[], None] = lambda: None) -> None:
        """Do what a page shows.

        Args:
            page: the page.
            finally_look: called before the commands that stay are ended.

        Raises:
            AssertionError: something else is printed than it shows.
        """
        try:
            for block in blocks(page):
                for command in commands(block):
                    self._type(command)
                if block.language == "text":
                    self._terminals["monitor"][0].wait_for(block.lines)
            self._look_at_terminals()
            finally_look()
        finally:
            for terminal, _ in self._terminals.values():
                terminal.close()

    def _type(self, command: Command) -> None:
        verb = command.words[0]
        if verb not in READY or "-h" in command.words:
            words = [self._keys.get(word, word) for word in command.words]
            printed = printed_by(words, self._surroundings, command.program, self._directory)
            assert masked(printed) == masked(command.shown), " ".join(words)
            self._keys.update(zip(keys_in(command.shown), keys_in(printed), strict=True))
            return
        if verb in self._terminals:
            self._terminals.pop(verb)[0].close()
        # The example's own broker comes before that of the environment. Only -v tells us when a command is ready.
        broker = ["-b", self._address] if verb == "serve" else []
        verbose = [] if any(word.startswith("-v") for word in command.words) else ["-v"]
        words = [*command.words, *broker, *verbose]
        terminal = Terminal(words, self._surroundings, READY[verb], self._directory)
        self._terminals[verb] = (terminal, command.shown)

    def _look_at_terminals(self) -> None:
        for terminal, shown in self._terminals.values():
            terminal.wait_for(shown or [""])

"""What runs have measured: where they write it down, and the page of it.

`tests/reliability.sh` has the tests of faults write their figures to a file, and makes the page from that:

    python -m tests.figures build/figures.jsonl > docs/explanations/reliability_figures.rst
"""

from __future__ import annotations

import datetime
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

_HEAD = """\
Reliability: the figures
************************

Measured on {date}, on {cores} cores, with Python {python} and RabbitMQ {rabbitmq}. ``./tests/reliability.sh`` repeats
all of them and writes this page; the command beside each repeats it alone.

"""


class Figure(NamedTuple):
    """One thing that was measured.

    Attributes:
        topic: the heading that it stands under.
        what: what was measured, and in how many tries.
        value: what came out, with its unit.
        command: what repeats it, from the root of a checkout.
    """

    topic: str
    what: str
    value: str
    command: str


def write_down(path: Path, figure: Figure) -> None:
    """Add a figure to a file, whatever other processes add to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(figure._asdict()) + "\n")


def read(path: Path) -> list[Figure]:
    """Return the figures of a file; of those measured more than once, the last."""
    figures = [Figure(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
    return list({(figure.topic, figure.what): figure for figure in figures}.values())


def page(figures: Iterable[Figure]) -> str:
    """Return the page of figures, in reStructuredText."""
    head = _HEAD.format(
        date=datetime.date.today().isoformat(),
        cores=os.cpu_count(),
        python=platform.python_version(),
        rabbitmq=_rabbitmq_version(),
    )
    topics: dict[str, list[Figure]] = {}
    for figure in figures:
        topics.setdefault(figure.topic, []).append(figure)
    return head + "\n".join(_table(topic, topics[topic]) for topic in sorted(topics))


def _table(topic: str, figures: list[Figure]) -> str:
    lines = [topic, "-" * len(topic), "", ".. list-table::", "   :header-rows: 1", "   :widths: 40 25 35", ""]
    rows = [("what", "measured", "command"), *((one.what, one.value, f"``{one.command}``") for one in figures)]
    for row in rows:
        lines += [f"   {'*' if number == 0 else ' '} - {cell}" for number, cell in enumerate(row)]
    return "\n".join(lines) + "\n"


def _rabbitmq_version() -> str:
    program = shutil.which("rabbitmqctl", path="/usr/lib/rabbitmq/bin:" + os.environ.get("PATH", os.defpath))
    if program is None:
        return "(not installed)"
    said = subprocess.run([program, "version"], capture_output=True, text=True, timeout=60).stdout
    return said.strip() or "(unknown)"


if __name__ == "__main__":
    sys.stdout.write(page(read(Path(sys.argv[1]))))

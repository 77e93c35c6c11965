"""The old form of a config file: `nodename` and `providers` stand where today `name` and `endpoints` do.

Rules:
1. A first block that has one of the old keys is of the old form, and everything else is checked as in the new one.
2. One file, one form: an old key beside one that only the new form has is an error.
3. Below the first block the two forms are the same.
"""

import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

from dragonfly.loader.keys import RESERVED
from dragonfly.loader.problem import Report
from dragonfly.loader.values import Entry

logger = logging.getLogger(__name__)


class Form(NamedTuple):
    """What a form calls the name of a block, and the list of the blocks below it."""

    name: str
    endpoints: str


NEW = Form("name", "endpoints")
OLD = Form("nodename", "providers")


def form_of(entries: Mapping[Any, Entry]) -> Form:
    """Return the form in which a first block is written."""
    return OLD if any(key in entries for key in OLD) else NEW


def in_new_form(entries: Mapping[Any, Entry], path: str, report: Report) -> dict[Any, Entry]:
    """Return the keys of a first block in the old form under their new names; a mixture is reported."""
    _check_mixture(entries, path, report)
    new_names = dict(zip(OLD, NEW, strict=True))
    renamed = {key: entry for key, entry in entries.items() if key not in OLD}
    for key, entry in entries.items():
        if key in OLD:
            renamed.setdefault(new_names[key], entry._replace(key=new_names[key]))
    return renamed


def _check_mixture(entries: Mapping[Any, Entry], path: str, report: Report) -> None:
    old = next(entry for key, entry in entries.items() if key in OLD)
    new = [entry for key, entry in entries.items() if key in RESERVED]
    for entry in new:
        text = (
            f"{entry.key} is of the new form, and {old.key} in line {old.line} of the old one: "
            f"write {' and '.join(NEW)} in place of {' and '.join(OLD)}"
        )
        report.add(entry.line, path, text)
    if not new:
        logger.info("%s has the old form: %s replace %s", report.file, " and ".join(NEW), " and ".join(OLD))

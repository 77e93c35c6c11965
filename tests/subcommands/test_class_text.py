"""Classes as text; tests/subcommands/test_doc.py has the whole pages of ours."""

from collections.abc import Callable
from typing import Any

import pytest

from dragonfly.core import Endpoint, Provider, Service
from dragonfly.loader.catalogue import Entry, LookupFailedError
from dragonfly.subcommands.class_text import page, table


class Lamp(Endpoint):
    """A lamp.

    Further Keyword Args:
        port (int): where it is plugged in, which is counted from the left beginning at 1, and never shared with anything else
    """  # noqa: E501 -- a line that has to be wrapped

    def __init__(self, port: int, colour: str = "red", **kwargs: Any) -> None:
        super().__init__(**kwargs)


class Rack(Provider):
    """A rack."""


class Hall(Service):
    """A hall."""


class Nameless(Endpoint):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)


def entry(group: str, name: str, load: Callable[[], type[Endpoint]], other_name: str = "") -> Entry:
    return Entry(group, name, load, other_name)


def missing() -> type[Endpoint]:
    raise LookupFailedError("module", "there is no module Missing")


def test_a_table_has_a_line_for_each_class_below_its_group() -> None:
    listed = [
        entry("one", "Lamp", lambda: Lamp),
        entry("one", "Bulb", lambda: Lamp, "Lamp"),
        entry("two", "LongName", missing),
    ]
    assert list(table(listed)) == [
        "one:",
        "  Lamp      A lamp.",
        "  Bulb      Another name of Lamp.",
        "",
        "two:",
        "  LongName  (there is no module Missing)",
    ]


def test_what_a_block_needs_stands_before_what_it_can_have() -> None:
    lines = list(page("Lamp", Lamp))
    start = lines.index("In a config file (# can be left out):")
    assert lines[start + 1 : start + 5] == [
        "    - name: my_lamp",
        "      module: Lamp",
        "      port: <int>",
        "      # colour: <any>",
    ]
    assert "      # endpoints: <list of blocks>" not in lines


def test_a_long_line_is_wrapped_and_goes_on_further_in() -> None:
    lines = list(page("Lamp", Lamp))
    number = next(n for n, line in enumerate(lines) if line.startswith("    port (int)"))
    assert len(lines[number]) <= 120
    assert lines[number + 1].startswith("        ") and lines[number + 1].endswith("else")


@pytest.mark.parametrize(
    ("cls", "begin", "end"),
    [(Rack, "    - name: my_rack", "      # endpoints: <list of blocks>"), (Hall, "    name: my_service", None)],
)
def test_what_has_endpoints_says_where(cls: type[Endpoint], begin: str, end: str | None) -> None:
    lines = list(page(cls.__name__, cls))
    assert begin in lines
    assert lines[-1] == (end or "    # endpoints: <list of blocks>")


def test_another_name_says_which_class_it_is() -> None:
    first, *_ = page("Bulb", Lamp)
    assert first == f"Bulb, which is the class Lamp ({__file__})"


def test_a_class_from_nowhere_is_named_by_its_module() -> None:
    cls = type("Made", (Endpoint,), {"__module__": "no_such_module", "__doc__": "Made."})
    assert next(page("Made", cls)) == "Made (no_such_module)"

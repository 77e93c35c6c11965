"""Config files: nearly valid ones, and any text."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st

_EXAMPLES = Path(__file__).parents[2] / "examples"
# Those that need no file beside them.
_SOURCES = [
    (_EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8")
    for name in ("kv_store_tutorial", "kv_store_old_form", "logging", "setup_calls", "lockout")
]
_BITS = [
    *(
        "&a ",
        "*a",
        "<<: *a",
        "!!int ",
        "!!float ",
        "!!timestamp ",
        "!!set ",
        "!!python/name:os.system ",
        "!!binary ",
        "!x ",
    ),
    *(
        "{",
        "}",
        "[",
        "]",
        "|",
        ">",
        "'",
        '"',
        "#",
        "%",
        "@",
        "`",
        "? ",
        ": ",
        "- ",
        "\n",
        "\n\n",
        "\t",
        "  ",
        "---\n",
        "...\n",
    ),
    *("on", "010", "1:30", "~", "1e3", ".nan", "-.inf", "0x" + "f" * 5_000, "9" * 5_000, "2001-99-99", "=", "0b", "1_"),
    *("\x00", "\ufeff", "\u2028", "\x85", "\udcff", "é", "🐉"),
    *(
        "name: ",
        "module: ",
        "module: Service",
        "module: kv_store",
        "module: AlertConsumer",
        "endpoints:",
        "endpoints: [",
        "broker: ",
    ),
    *(
        "calibration: ",
        "log_interval: ",
        "limits: ",
        "setup_calls: ",
        "keys: ",
        "module_path: /",
        "module_path: .",
        "max_threads: ",
    ),
    "module_path: /dev/null",
    "[" * 5_000,
    "{a: " * 200,
    "&a [*a, *a]",
    "'{}**{}**{}'",
    "amqp://",
]


def _changed(source: str, changes: list[tuple[int, int, str]]) -> str:
    for place, cut, put in changes:
        place %= len(source) + 1
        source = source[:place] + put + source[place + cut :]
    return source


def _lines_changed(source: str, changes: list[tuple[int, int]]) -> str:
    """Put lines of a file at places of others, with their indentation."""
    lines = source.splitlines()
    for taken, put in changes:
        lines.insert(put % len(lines), lines[taken % len(lines)])
    return "\n".join(lines) + "\n"


def _bomb(width: int, depth: int) -> str:
    """Return aliases that multiply."""
    lines = [
        "name: x",
        "endpoints:",
        "  - name: y",
        "    module: kv_store_key",
        "    initial_value:",
        "      - &a0 [lol]",
    ]
    lines += [f"      - &a{level + 1} [{', '.join([f'*a{level}'] * width)}]" for level in range(depth)]
    return "\n".join(lines) + "\n"


_PLACE = st.integers(0, 3_000)
_SOURCE = st.sampled_from(_SOURCES)
_CUT = st.sampled_from([0, 0, 1, 3, 20])
_CHANGED = st.builds(
    _changed, _SOURCE, st.lists(st.tuples(_PLACE, _CUT, st.sampled_from(_BITS)), min_size=1, max_size=4)
)
_MIXED = st.builds(_lines_changed, _SOURCE, st.lists(st.tuples(_PLACE, _PLACE), min_size=1, max_size=4))
_TEXT = st.one_of(
    st.text(max_size=80),
    st.lists(st.sampled_from(_BITS), max_size=12).map("".join),
    st.builds(_bomb, st.integers(1, 9), st.integers(1, 9)),
)
CONFIGS = st.one_of(
    st.one_of(_CHANGED, _MIXED, _TEXT).map(lambda text: text.encode("utf-8", "surrogateescape")),
    st.binary(max_size=60),
    st.tuples(_SOURCE, st.sampled_from(["utf-16", "utf-32", "utf-8-sig", "latin-1"])).map(
        lambda both: both[0].encode(both[1], "replace")
    ),
)

"""The reference pages: what they show is made by the program, and what they say beside it is true of the program."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import dragonfly
from dragonfly import core, implementations, testing
from dragonfly.core.credentials import DEFAULT_AUTH_FILE
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.spime import Spime
from dragonfly.loader.catalogue import entries
from dragonfly.loader.keys import keys_of
from dragonfly.subcommands import ALL_VERBS
from tests.reference_pages import (
    ROOT,
    arguments_of,
    command_help,
    config_keys,
    docstrings,
    fixtures,
    from_the_program,
    page,
)
from tests.transcript import PATIENCE, environment

PACKAGE = ROOT / "dragonfly"
CLASSES = [entry for entry in entries() if entry.group != "plug-ins"]


# The command line.


def test_the_help_is_what_the_program_prints() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dragonfly", "get", "-h"],
        env={**environment(""), "COLUMNS": "200"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0
    assert command_help.help_of("dragonfly", "get") == done.stdout


def test_the_help_does_not_depend_on_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    usual = command_help.help_of("python -m dragonfly.broker")
    monkeypatch.setenv("COLUMNS", "40")
    assert command_help.help_of("python -m dragonfly.broker") == usual
    assert max(map(len, usual.splitlines())) <= command_help.COLUMNS


def test_every_verb_has_its_help_and_an_anchor() -> None:
    used = arguments_of("verbs-help", page("command_line"))
    lines = [line for group in used for line in command_help.sections(command_help.GROUPS[group], "^")]
    for verb in ALL_VERBS:
        assert f".. _command-dragonfly-{verb}:" in lines
        assert any(line.strip().startswith(f"usage: dragonfly {verb} ") for line in lines)


def test_every_program_has_its_help() -> None:
    assert arguments_of("command-help", page("command_line")) == list(command_help.PROGRAMS)
    for program in command_help.PROGRAMS:
        assert command_help.help_of(program).startswith(f"usage: {program} ")


# The keys of config files.


def test_every_class_that_a_file_can_name_has_its_keys_on_the_page() -> None:
    text = page("configuration")
    listed = {*arguments_of("config-keys", text), *(implementations.TABLE if ".. config-classes::" in text else ())}
    assert {entry.name for entry in CLASSES if not entry.other_name} <= listed


@pytest.mark.parametrize("entry", CLASSES, ids=lambda entry: entry.name)
def test_every_key_that_a_class_takes_is_in_its_table(entry: Any) -> None:
    cls = entry.load()
    table = {key.name: key for key in config_keys.keys_table(cls)}
    assert {"name", *keys_of(cls).accepted} <= table.keys()
    for key in table.values():
        assert key.meaning, key.name
        assert key.kind, key.name
        assert key.unit or key.kind not in ("int", "float"), key.name


def test_the_default_in_the_table_is_that_of_the_constructor() -> None:
    service = {key.name: key.default for key in config_keys.keys_table(config_keys.class_named("Service"))}
    parameters = inspect.signature(core.Service.__init__).parameters
    for name in keys_of(core.Service).accepted:
        if name in parameters and parameters[name].default not in (None, ""):
            assert yaml.safe_load(service[name]) == parameters[name].default, name


def test_a_key_is_told_with_the_class_that_declares_it() -> None:
    declared = {key.name: key.declared_by for key in config_keys.keys_table(implementations.kv_store_key)}
    assert declared["initial_value"] == "kv_store_key"
    assert declared["log_on_set"] == "Spime"
    assert declared["log_interval"] == "DataLogger"
    assert declared["name"] == "Endpoint"
    assert next(iter(declared)) == "initial_value"


def test_a_key_without_documentation_ends_the_build() -> None:
    class Undocumented(Spime):
        """A class."""

        def __init__(self, secret: float = 0.0, **kwargs: Any) -> None:
            super().__init__(**kwargs)

    with pytest.raises(ValueError, match="`secret \\(type\\): meaning` was expected"):
        config_keys.keys_table(Undocumented)


def test_a_number_without_a_unit_ends_the_build() -> None:
    class Unitless(Endpoint):
        """A class.

        Further Keyword Args:
            gap (float): how wide it is
        """

        def __init__(self, gap: float = 0.0, **kwargs: Any) -> None:
            super().__init__(**kwargs)

    with pytest.raises(ValueError, match="does not say its unit"):
        config_keys.keys_table(Unitless)


# The environment.


def constants_of(tree: ast.Module) -> dict[str, str]:
    """Return the texts that a module gives names to."""
    found = {}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            pairs = zip(ast.walk(node.targets[0]), ast.walk(node.value), strict=False)
            for target, value in pairs:
                if isinstance(target, ast.Name) and isinstance(value, ast.Constant) and isinstance(value.value, str):
                    found[target.id] = value.value
    return found


def variables_read_by(path: Path) -> set[str]:
    """Return the names of the environment's variables that a file reads: all that begin like ours, and others."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    known = constants_of(tree)
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    found = {text for text in texts if re.fullmatch(r"DRAGONFLY_[A-Z_]+", text)}
    for node in ast.walk(tree):
        name = None
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("os.environ.get", "os.getenv"):
            name = node.args[0]
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
            name = node.slice
        elif isinstance(node, ast.Compare) and ast.unparse(node.comparators[0]) == "os.environ":
            name = node.left
        if isinstance(name, ast.Constant):
            found.add(name.value)
        elif isinstance(name, ast.Name) and name.id in known:
            found.add(known[name.id])
    return found


def test_every_variable_that_the_code_reads_is_listed_and_no_other() -> None:
    read = set().union(*(variables_read_by(path) for path in PACKAGE.rglob("*.py")))
    assert {"DRAGONFLY_BROKER", "NO_COLOR", "XDG_CACHE_HOME", "_ARGCOMPLETE"} <= read  # the search finds each form
    text = page("environment")
    variables = text[: text.index("\nFiles\n")]
    assert set(re.findall(r"``(_?[A-Z][A-Z_]{3,})``", variables)) == read


def test_the_files_are_those_that_the_code_names() -> None:
    text = page("environment")
    assert f"``{DEFAULT_AUTH_FILE}``" in text
    assert 'f"names_' in (PACKAGE / "subcommands" / "name_cache.py").read_text(encoding="utf-8")
    assert "names_*.json" in text


# The Python API.


def test_every_public_name_is_on_the_page() -> None:
    text = page("api")
    names = [*core.__all__, *testing.__all__, "Broker"]
    assert [name for name in names if not re.search(rf"\b{name}\b", text)] == []


def test_the_members_that_the_page_names_are_there() -> None:
    named = re.findall(r"^\.\. auto(?:class|exception):: (\S+)\n    :members: (.+)$", page("api"), re.MULTILINE)
    assert len(named) > 5
    for path, members in named:
        module, _, name = path.rpartition(".")
        cls = getattr(importlib.import_module(module), name)
        assert [member for member in members.split(", ") if not inspect.getdoc(getattr(cls, member, None))] == [], path


def test_the_fixtures_are_read_from_the_plugin() -> None:
    found = fixtures.fixtures()
    assert {"broker", "mesh", "clock"} <= found.keys()
    assert all(found.values())
    assert Path(dragonfly.__file__).parent / "testing" / "plugin.py" == fixtures.PLUGIN


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (["Say:", "", "    x = 1:", "    y"], ["Say::", "", "    x = 1:", "    y"]),
        (["Args:", "    x: one"], ["Args:", "    x: one"]),
        (["Example:", "    x"], ["Example::", "", "    x"]),
        (["one of OP_..."], ["one of ``OP_...``"]),
        (["Say:", "", "no code"], ["Say:", "", "no code"]),
    ],
)
def test_a_docstring_is_shown_as_restructured_text(written: list[str], shown: list[str]) -> None:
    assert list(docstrings.shown(written)) == shown


def test_keys_are_left_out_where_they_have_a_page_of_their_own() -> None:
    lines = ["A class.", "", "Further Keyword Args:", "    x (int): a count", "", "Raises:", "    E: always"]
    assert list(docstrings.shown(lines, with_keys=False)) == ["A class.", "", "Raises:", "    E: always"]
    assert docstrings.has_keys(core.Endpoint)
    assert docstrings.has_keys(core.Scheduler)
    assert not docstrings.has_keys(core.Interface)
    assert not docstrings.has_keys(testing.ScriptedInstrument)


def test_a_table_has_a_row_for_each() -> None:
    lines = list(from_the_program.table([40, 60], ["a", "b"], [["1", ""]]))
    assert lines[-5:] == ["   * - a", "     - b", "   * - 1", "     -", ""]

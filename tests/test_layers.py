"""Who may import whom: downward only, and what is heavy or touches the world only in its place.

The tables below are the rule. A file or folder that stands in none of them fails: give it a layer first.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "dragonfly"

# The layers, lowest first. A module may import its own layer and those below it, but for those of MAY_IMPORT.
ORDER = ["root", "pure", "objects", "wire", "core", "implementations", "loader", "handlers", "subcommands", "cli"]

# What does not follow the order, or stands beside it: the layers that are open to each.
MAY_IMPORT = {
    "core": ["root"],  # the table of lazy names: a name is looked up when it is used
    "broker": ["broker"],
    "testing": [*ORDER[: ORDER.index("loader") + 1], "broker", "testing"],
}

CORE = {
    "pure": "constants exceptions message codec routing lockout calibration arithmetic expression numbers near_miss "
    "mesh_access deadline documentation calling calls change description limits masking",
    "objects": "mesh_service request_target endpoint provider scheduler data_logger spime",
    "wire": "broker_address credentials amqp lane service service_binding service_presence request_handler request_job "
    "replier pending requester caller flight counters timer lane_timer call_runner conditions outage audit instruments "
    "service_life service_settings statistics waker "
    "alert_consumer alert_queue interface listener",
}
LAYER_OF = {f"dragonfly.core.{name}": layer for layer, names in CORE.items() for name in names.split()} | {
    "dragonfly.implementations": "implementations",
    "dragonfly.loader": "loader",
    "dragonfly.status_log_handlers": "handlers",
    "dragonfly.subcommands": "subcommands",
    "dragonfly.cli": "cli",
    "dragonfly.command_parser": "cli",
    "dragonfly.completer": "cli",
    "dragonfly.old_programs": "cli",
    "dragonfly.tmux": "cli",
    "dragonfly.tmux_relay": "cli",
    "dragonfly.__main__": "cli",
    "dragonfly.early_interrupt": "root",
    "dragonfly.broker": "broker",
    "dragonfly.testing": "testing",
}

# Where a library of others may be imported: in these modules and below them. One that is not listed fails.
LIBRARIES = {
    "pika": ["dragonfly.core.amqp", "dragonfly.broker"],
    "yaml": ["dragonfly.loader"],
    "simpleeval": ["dragonfly.core.arithmetic"],
    "argcomplete": ["dragonfly.completer", "dragonfly.subcommands.completion"],
    "colorlog": ["dragonfly.status_log_handlers"],
    "slack_sdk": ["dragonfly.status_log_handlers", "dragonfly.implementations"],
    "sqlalchemy": ["dragonfly.implementations"],
    "serial": ["dragonfly.implementations"],
    "pytest": ["dragonfly.testing"],
}

# What has a socket or a thread in it: not for the pure half.
THE_WORLD = {
    *("asyncio", "concurrent", "http", "multiprocessing", "queue", "sched", "select", "selectors", "signal"),
    *("socket", "socketserver", "ssl", "subprocess", "threading"),
}


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in PACKAGE.rglob("*.py")}


def named_imports(node: ast.AST, module: str) -> Iterator[str]:
    """Yield the full names that an import statement names: of `from a import b`, a.b where that is a module."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, f"{module}, line {node.lineno}: write the import in full"
        source = node.module or ""
        yield from (f"{source}.{a.name}" if f"{source}.{a.name}" in MODULES else source for a in node.names)


def imports_of(module: str) -> set[str]:
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    return {name for node in ast.walk(tree) for name in named_imports(node, module)}


IMPORTS = {module: imports_of(module) for module in MODULES}


def is_below(module: str, place: str) -> bool:
    return module == place or module.startswith(f"{place}.")


def layer_of(module: str) -> str:
    if module in ("dragonfly", "dragonfly.core"):
        return "root" if module == "dragonfly" else "core"
    for place, layer in LAYER_OF.items():
        if is_below(module, place):
            return layer
    pytest.fail(f"{module} has no layer: add it to the tables of tests/test_layers.py")


def may_import(module: str, other: str) -> bool:
    """Return whether the layers allow it."""
    layer, other_layer = layer_of(module), layer_of(other)
    if module == "dragonfly.subcommands.broker" and other_layer == "broker":
        return True
    if layer in MAY_IMPORT:
        return other_layer in MAY_IMPORT[layer]
    return other_layer in ORDER[: ORDER.index(layer) + 1]


def own_imports(module: str) -> set[str]:
    return {name for name in IMPORTS[module] if is_below(name, "dragonfly")}


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_imports_its_own_layer_and_those_below(module: str) -> None:
    layer = layer_of(module)
    wrong = {name for name in own_imports(module) if not may_import(module, name)}
    assert not wrong, f"{module} ({layer}) must not import {', '.join(sorted(wrong))}"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_library_is_imported_in_its_place_only(module: str) -> None:
    for name in {name.partition(".")[0] for name in IMPORTS[module]} - {"dragonfly"} - sys.stdlib_module_names:
        assert name in LIBRARIES, f"{module} imports {name}, which has no place in tests/test_layers.py"
        assert any(is_below(module, place) for place in LIBRARIES[name]), f"{module} must not import {name}"


@pytest.mark.parametrize("module", sorted(name for name in MODULES if layer_of(name) == "pure"))
def test_the_pure_half_has_no_socket_and_no_thread(module: str) -> None:
    assert {name.partition(".")[0] for name in IMPORTS[module]} & THE_WORLD == set()


# The broker understands what was said in modules without a socket and a clock; these give them both.
BROKERS_WORLD = {f"dragonfly.broker{name}" for name in ("", ".server", ".link", ".command", ".__main__")}
PURE_BROKER = sorted(name for name in MODULES if layer_of(name) == "broker" and name not in BROKERS_WORLD)


@pytest.mark.parametrize("module", PURE_BROKER)
def test_the_broker_has_sockets_threads_and_a_clock_in_few_modules(module: str) -> None:
    assert {name.partition(".")[0] for name in IMPORTS[module]} & {*THE_WORLD, "time"} == set()
    assert own_imports(module).isdisjoint(BROKERS_WORLD)


def test_nothing_imports_in_a_circle() -> None:
    done: set[str] = set()

    def visit(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, " -> ".join([*way, module])
        if module not in done:
            for other in sorted(own_imports(module) & MODULES.keys()):
                visit(other, (*way, module))
            done.add(module)

    for module in MODULES:
        visit(module, ())


def test_every_layer_is_in_the_order_or_beside_it() -> None:
    assert set(LAYER_OF.values()) <= {*ORDER, *MAY_IMPORT}


@pytest.mark.parametrize(
    ("module", "other", "allowed"),
    [
        ("dragonfly.core.endpoint", "dragonfly.core.amqp.publisher", False),
        ("dragonfly.core.endpoint", "dragonfly.core.routing", True),
        ("dragonfly.core.routing", "dragonfly.core.endpoint", False),
        ("dragonfly.core.service", "dragonfly.core", False),
        ("dragonfly.implementations.key_value_store", "dragonfly.core", True),
        ("dragonfly.core.service", "dragonfly.loader.config", False),
        ("dragonfly.status_log_handlers.console", "dragonfly.subcommands.agent", False),
        ("dragonfly.subcommands.agent", "dragonfly.broker.server", False),
        ("dragonfly.subcommands.broker", "dragonfly.broker.server", True),
        ("dragonfly.cli", "dragonfly.testing", False),
        ("dragonfly.testing.plugin", "dragonfly.loader", True),
        ("dragonfly.testing.plugin", "dragonfly.subcommands.agent", False),
        ("dragonfly.broker.server", "dragonfly.core.codec", False),
    ],
)
def test_the_tables_say_what_they_should(module: str, other: str, allowed: bool) -> None:
    assert may_import(module, other) is allowed


def test_import_dragonfly_loads_nothing_heavy() -> None:
    program = "import sys, dragonfly; print(*{'pika', 'yaml', 'simpleeval', 'argcomplete'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == []

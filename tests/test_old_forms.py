"""What the first releases had still runs, the old form of a file and two programs, and says what replaces it."""

import ast
import importlib
from pathlib import Path
from typing import Any

import pytest

from dragonfly import cli, old_programs
from dragonfly.core.message import ReplyMessage
from dragonfly.core.provider import Provider
from dragonfly.loader import load
from dragonfly.subcommands import agent

ROOT = Path(__file__).resolve().parent.parent
OLD_FORM = ROOT / "examples" / "kv_store_old_form.yaml"

# The price list of the tutorial's deprecated half.
TUTORIAL = """\
nodename: my_store
broker: localhost
providers:
  - name: my_price_list
    module: kv_store
    endpoints:
      - name: peaches
        module: kv_store_key
        initial_value: 0.75
      - name: chips
        module: kv_store_key
        initial_value: 1.75
      - name: waffles
        module: kv_store_key
        initial_value: 4.00
"""


def scripts() -> dict[str, str]:
    """Return the console scripts of setup.py, read without running it."""
    for node in ast.walk(ast.parse((ROOT / "setup.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.keyword) and node.arg == "entry_points":
            entries: dict[str, list[str]] = ast.literal_eval(node.value)
            return dict(line.split(" = ") for line in entries["console_scripts"])
    pytest.fail("setup.py has no entry points")


def test_the_example_is_the_tutorials_file() -> None:
    lines = OLD_FORM.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#")] == TUTORIAL.splitlines()


def test_the_example_becomes_the_store() -> None:
    config = load(OLD_FORM)
    service = config.build_service()
    config.build_endpoints(service)
    store = service.endpoints["my_price_list"]
    assert isinstance(store, Provider)
    assert {name: key.on_get()["value_raw"] for name, key in store.endpoints.items()} == {
        "peaches": "0.75",
        "chips": "1.75",
        "waffles": "4.0",
    }


@pytest.mark.parametrize("name", ["dragonfly", "open_spimescape_portal", "dripline_agent"])
def test_each_program_leads_to_a_function(name: str) -> None:
    module, _, function = scripts()[name].partition(":")
    assert callable(getattr(importlib.import_module(module), function))


def test_the_help_has_the_old_names_and_the_options_of_today(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    cli.main(["serve", "-h"])
    serve = " ".join(capsys.readouterr().out.split())
    assert old_programs.portal(["-h"]) == 0
    assert " ".join(capsys.readouterr().out.split()) == serve.replace("dragonfly serve", "open_spimescape_portal")
    assert old_programs.agent(["-h"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("usage: dripline_agent ")
    assert "{get,set,config,run,cmd,send} target" in shown


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "the following arguments are required"),
        (["get"], "the following arguments are required: target"),
        (["gte", "peaches"], "there is no verb 'gte'; did you mean get?"),
        (["serve", "peaches"], "there is no verb 'serve'"),
        (["-b", "get", "peaches"], "-b took 'get', the word after it"),
        (["-x", "get", "peaches"], "there is no option -x"),
    ],
)
def test_wrong_words_are_usage_errors(words: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert old_programs.agent(words) == 2
    assert says in capsys.readouterr().err


def test_serving_needs_a_file_that_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert old_programs.portal([]) == 2
    assert old_programs.portal(["-c", "no_such_file.yaml"]) == 5
    assert "there is no such file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "payload", "retcode", "line"),
    [
        ("get peaches", {"value_cal": 1.5, "value_raw": "0.75"}, 0, "peaches: 0.75"),
        ("get oven", {"value_raw": "+21.50"}, 0, "oven: +21.50"),
        ("get peaches.log_interval", {"values": [30]}, 0, "peaches.log_interval: 30"),
        ("get two", {"values": [1, 2]}, 0, "two: {'values': [1, 2]}"),
        ("get odd", {"values": 3}, 0, "odd: {'values': 3}"),
        ("get void", {}, 0, "void: {}"),
        ("set chips 1.79", {"value_cal": 5.37, "value_raw": "1.79"}, 0, "chips->1.79: complete"),
        ("set waffles 4.5", {"values": [None]}, 0, "waffles->4.5: complete"),
        ("set chips 1.79", {"values": [None]}, 1, "chips->1.79: complete"),
        ("set chips x", {"values": [None]}, 304, "chips->x: failed (ret:304)"),
        ("get plums", {"values": ["message not deliverable"]}, 102, "plums: failed (ret:102)"),
        ("cmd peaches ping", {"values": [None]}, 0, "peaches->ping: complete"),
        ("send oven *IDN? X", {"values": ["an oven"]}, 0, "oven->*IDN?->X: an oven"),
        ("run oven", {"values": [None]}, 0, "oven: complete"),
    ],
)
def test_the_agent_prints_raw_values(
    words: str,
    payload: dict[str, Any],
    retcode: int,
    line: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reply = ReplyMessage(payload, retcode=retcode)
    monkeypatch.setattr(agent.Request, "_replies", lambda self, args: [reply])
    assert old_programs.agent(words.split()) == (1 if retcode >= 100 else 0)
    assert capsys.readouterr() == (f"{line}\n", "")


@pytest.mark.parametrize("words", [["-v", "get", "peaches"], ["get", "peaches", "-v"]])
def test_the_agent_tells_at_info_what_replaces_it(
    words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent.Request, "_replies", lambda self, args: [])
    assert old_programs.agent(words) == 0
    told = capsys.readouterr().err
    assert "[INFO    ] dragonfly.old_programs(" in told
    assert "dripline_agent is an old name: dragonfly get replaces it" in told

"""doc: a class with all its keys, and the list of all classes."""

from pathlib import Path

import pytest

from dragonfly.cli import main
from dragonfly.implementations import key_value_store, kv_store_key
from dragonfly.loader import catalogue
from dragonfly.loader.keys import keys_of
from dragonfly.subcommands.doc import Doc

DEVICES = """
from dragonfly.core import Endpoint


class Lamp(Endpoint):
    '''A lamp.

    Further Keyword Args:
        port (int): where it is plugged in
    '''

    def __init__(self, port, colour="red", **kwargs):
        super().__init__(**kwargs)
"""
EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["doc", *words]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_a_class_is_shown_with_its_file_its_documentation_and_its_keys(capsys: pytest.CaptureFixture[str]) -> None:
    first, _, summary, *lines = shown(capsys, "kv_store_key").splitlines()
    assert first == f"kv_store_key ({key_value_store.__file__})"
    assert summary == "A key in the KV store."
    assert "Keyword Args:" in lines
    assert "    initial_value (any): value until the first set, without unit" in lines
    assert "    unit (str): unit of the value, as people read it" in lines
    example = lines[lines.index("In a config file (# can be left out):") + 1 :]
    assert example[:3] == ["    - name: my_kv_store_key", "      module: kv_store_key", "      # initial_value: <any>"]
    assert [line.split()[1].rstrip(":") for line in example[2:]] == list(keys_of(kv_store_key).accepted)


def test_the_example_of_a_service_is_the_first_block_of_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    _, _, example = shown(capsys, "Spimescape").partition("(# can be left out):\n")
    assert example.startswith("    name: my_service\n    module: Spimescape\n    # broker: <")
    assert example.endswith("    # endpoints: <list of blocks>\n")


def test_what_a_class_cannot_do_without_is_no_comment(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "devices.py").write_text(DEVICES, encoding="utf-8")
    file = tmp_path / "lab.yaml"
    file.write_text("name: s\nendpoints: [{name: a, module: Lamp, module_path: devices.py}]\n", encoding="utf-8")
    example = shown(capsys, "Lamp", "-c", str(file)).splitlines()[-13:]
    start = example.index("      module: Lamp")
    assert example[start + 1] == f"      module_path: {tmp_path / 'devices.py'}"
    assert example[start + 2 : start + 4] == ["      port: <int>", "      # colour: <any>"]


def test_alone_it_lists_all_classes_with_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys).splitlines()
    assert lines[0] == "implementations:"
    assert "core:" in lines
    listed = {line.split()[0]: line.split(maxsplit=1)[1] for line in lines if line.startswith("  ")}
    assert listed["kv_store_key"] == "A key in the KV store."
    assert listed["Endpoint"] == "One readable or settable value of a service."
    assert set(listed) >= {entry.name for entry in catalogue.entries()}


@pytest.mark.parametrize(("name", "alias"), [("Service", "Spimescape"), ("AlertConsumer", "Gogol")])
def test_a_class_names_its_alias_and_the_alias_names_the_class(
    name: str, alias: str, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = dict(line.split(maxsplit=1) for line in shown(capsys).splitlines() if line.startswith("  "))
    assert listed[name].endswith(f"; in YAML files also named {alias}.")
    assert listed[alias] == f"Another name of {name}."
    assert shown(capsys, alias).startswith(f"{alias}, which is the class {name} (")
    assert shown(capsys, name).startswith(f"{name} (")


def test_with_a_file_its_own_classes_come_first(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, "-c", str(EXAMPLES / "own_device.yaml")).splitlines()
    assert lines[0] == "own_device.py:"
    assert lines[1].split()[0] == "OvenProvider"


def test_tab_offers_the_classes_that_can_be_shown(capsys: pytest.CaptureFixture[str]) -> None:
    offered = Doc().words_for("class_name")
    assert offered == [entry.name for entry in catalogue.entries() if entry.group in ("implementations", "core")]
    for name in offered or []:
        assert shown(capsys, name)
    assert Doc().words_for("config") is None


def test_a_mistyped_class_is_a_sentence_and_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doc", "kv_stor_key"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith("-> there is no module kv_stor_key; did you mean kv_store_key?\n")


def test_a_class_that_no_block_can_be_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doc", "Interface"]) == 2
    assert "Interface is no Endpoint" in capsys.readouterr().err


def test_a_file_that_cannot_be_read_is_status_5(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doc", "-c", "no_such_file.yaml"]) == 5
    assert "no_such_file.yaml" in capsys.readouterr().err


def test_a_plugin_that_reuses_a_name_is_an_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "reused_names", lambda: ["the plug-in kv_store (x:y) has the name of another"])
    assert main(["doc"]) == 5
    out, err = capsys.readouterr()
    assert "kv_store_key" in out
    assert err.endswith("-> the plug-in kv_store (x:y) has the name of another\n")
    assert main(["doc", "kv_store"]) == 0  # the one that is used

"""A class is found in its own file, else among implementations, core and plug-ins."""

import importlib.metadata
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dragonfly import implementations
from dragonfly.core.endpoint import Endpoint
from dragonfly.implementations import Implementation, kv_store
from dragonfly.loader.registry import LookupFailedError, Registry

WriteFile = Callable[..., Path]
FindProblems = Callable[[str], list[str]]

DEVICE = """\
from dragonfly.core import Endpoint, Provider, Service

class muon_counter(Endpoint):
    def __init__(self, volts=5, **kwargs):
        super().__init__(**kwargs)
        self.volts = volts

class muon_service(Service):
    pass

class kv_store(Provider):
    pass

class helper:
    pass
"""


def count_runs(folder: Path) -> str:
    """Return a line of Python that leaves a mark each time it is run."""
    return f"with open({str(folder / 'runs')!r}, 'a') as runs: runs.write('x')\n"


def lab(keys: str) -> str:
    return f"name: s\nendpoints:\n  - name: a\n{keys}"


def test_a_class_of_a_file_is_found_relative_to_the_config_file(write: WriteFile, problems: FindProblems) -> None:
    (write("").parent / "devices").mkdir()
    write(DEVICE, "devices/muon.py")
    assert problems(lab("    module: muon_counter\n    module_path: devices/muon.py\n    volts: 3\n")) == []


def test_a_class_of_a_file_is_found_in_the_home_directory(
    write: WriteFile, problems: FindProblems, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    write(DEVICE, "home/muon.py")
    assert problems(lab("    module: muon_counter\n    module_path: ~/muon.py\n")) == []


def test_the_service_may_come_from_a_file(write: WriteFile, problems: FindProblems) -> None:
    write(DEVICE, "muon.py")
    assert problems("name: s\nmodule: muon_service\nmodule_path: muon.py\n") == []


def test_a_file_comes_before_the_implementations_and_counts_for_its_block_only(
    write: WriteFile, tmp_path: Path
) -> None:
    write(DEVICE, "muon.py")
    registry = Registry(tmp_path)
    assert registry.find("kv_store", "muon.py") is not kv_store
    assert registry.find("kv_store") is kv_store


@pytest.mark.parametrize(
    ("source", "keys", "problem"),
    [
        (
            DEVICE,
            "module: muon_countr",
            "4: s > a: the file muon.py has no class muon_countr; did you mean muon_counter?",
        ),
        (
            DEVICE,
            "module: xyz",
            "4: s > a: the file muon.py has no class xyz; it has muon_counter, muon_service, kv_store",
        ),
        (
            DEVICE,
            "module: helper",
            "4: s > a: helper is no Endpoint: a block needs a class that derives from one",
        ),
        ("x = 1\n", "module: x", "4: s > a: x is no Endpoint"),
        (
            "x = 1\n",
            "module: y",
            "4: s > a: the file muon.py has no class y; it has no class that derives from Endpoint",
        ),
        (
            "x = y\n",
            "module: x",
            "5: s > a: the file muon.py fails while it is loaded in line 1: NameError: name 'y'",
        ),
        (
            "\n\nx = = y\n",
            "module: x",
            "5: s > a: the file muon.py is no valid Python: invalid syntax in line 3",
        ),
        (
            "import sys\nsys.exit(3)\n",
            "module: x",
            "5: s > a: the file muon.py fails while it is loaded in line 2: SystemExit",
        ),
        (
            "import nosuch\n",
            "module: x",
            "5: s > a: the file muon.py fails while it is loaded in line 1: ModuleNotFoundErr",
        ),
        (
            "open('/no/file')\n",
            "module: x",
            "5: s > a: the file muon.py fails while it is loaded in line 1: FileNotFoundErr",
        ),
        (
            "raise ValueError('two\\nlines')\n",
            "module: x",
            "5: s > a: the file muon.py fails while it is loaded in line 1: Val",
        ),
        (
            "import dripline\n",
            "module: x",
            "5: s > a: the file muon.py cannot be loaded: dripline is part of dragonfly now: "
            "write `from dragonfly.core import ...`",
        ),
        (
            "from dripline.core import Endpoint\n",
            "module: x",
            "5: s > a: the file muon.py cannot be loaded: dripline is part of dragonfly now",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_told_in_one_line(
    write: WriteFile, problems: FindProblems, source: str, keys: str, problem: str
) -> None:
    write(source, "muon.py")
    found = problems(lab(f"    {keys}\n    module_path: muon.py\n"))
    assert len(found) == 1
    assert found[0].startswith(problem)
    assert "\n" not in found[0]


@pytest.mark.parametrize(
    ("module_path", "problem"),
    [
        ("muno.py", "the file muno.py cannot be read: No such file or directory; did you mean muon.py?"),
        ("no/where.py", "the file no/where.py cannot be read: No such file or directory"),
        (".", "the file . cannot be read: "),
        ("5", "module_path must be a text: put 5 in quotes"),
        ("[muon.py]", "module_path must be a text, not a list"),
        ('"a\\0b"', "the file a\x00b cannot be read: "),
        ("''", "the file  cannot be read: "),
    ],
)
def test_a_module_path_that_leads_nowhere_is_told(
    write: WriteFile, problems: FindProblems, module_path: str, problem: str
) -> None:
    write(DEVICE, "muon.py")
    found = problems(lab(f"    module: muon_counter\n    module_path: {module_path}\n"))
    assert len(found) == 1
    assert found[0].startswith(f"5: s > a: {problem}")


def test_a_first_block_with_a_file_needs_a_module(write: WriteFile, problems: FindProblems) -> None:
    write(DEVICE, "muon.py")
    assert problems("name: s\nmodule_path: muon.py\n") == [
        "1: s: module, the class of this block, is missing",
    ]


def test_a_broken_file_is_run_and_told_once(write: WriteFile, problems: FindProblems, tmp_path: Path) -> None:
    write(f"{count_runs(tmp_path)}1 / 0\n", "muon.py")
    blocks = "".join(f"  - {{name: a{n}, module: x{n}, module_path: muon.py}}\n" for n in range(5))
    (found,) = problems(f"name: s\nendpoints:\n{blocks}")
    assert "ZeroDivisionError" in found
    assert (tmp_path / "runs").read_text() == "x"


def test_a_file_is_loaded_once_in_a_process(write: WriteFile, problems: FindProblems, tmp_path: Path) -> None:
    write(f"{count_runs(tmp_path)}{DEVICE}", "muon.py")
    text = lab("    module: muon_counter\n    module_path: muon.py\n")
    assert problems(text) == problems(text) == []
    assert (tmp_path / "runs").read_text() == "x"


def test_two_files_of_one_name_do_not_clash(write: WriteFile, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        write(DEVICE, f"{folder}/muon.py")
    registry = Registry(tmp_path)
    one, two = (registry.find("muon_counter", f"{folder}/muon.py") for folder in ("one", "two"))
    assert one is not two
    assert one is not None
    assert two is not None
    assert one.__module__ != two.__module__


def test_classes_of_a_file_can_be_pickled(write: WriteFile, tmp_path: Path) -> None:
    write(DEVICE, "muon.py")
    cls = Registry(tmp_path).find("muon_counter", "muon.py")
    assert pickle.loads(pickle.dumps(cls)) is cls


def test_a_missing_library_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problems: FindProblems
) -> None:
    (tmp_path / "needy_file.py").write_text("import no_such_library\n")
    monkeypatch.setattr(implementations, "__path__", [str(tmp_path)])
    monkeypatch.setitem(implementations.TABLE, "needy", Implementation("needy_file", "needy", "no-such-library"))
    monkeypatch.setattr(implementations, "__all__", [*implementations.__all__, "needy"])
    assert problems(lab("    module: needy\n")) == [
        "4: s > a: needy needs no-such-library: pip install no-such-library"
    ]


class FromPlugin(Endpoint):
    pass


class FakeEntry:
    value = "somewhere:FromPlugin"

    def load(self) -> Any:
        return FromPlugin


class BrokenEntry:
    value = "nowhere:FromPlugin"

    def load(self) -> Any:
        raise ModuleNotFoundError("No module named 'nowhere'")


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Offer two plug-ins, and note which names were looked for."""
    asked: list[str] = []
    offered = {"FromPlugin": [FakeEntry()], "Broken": [BrokenEntry()]}

    def entry_points(*, group: str, name: str) -> list[Any]:
        assert group == "dragonfly.implementations"
        asked.append(name)
        return offered.get(name, [])

    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)
    return asked


def test_a_plugin_is_looked_for_when_a_name_is_found_nowhere_else(plugins: list[str], tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    assert registry.find("kv_store") is kv_store
    assert registry.find("Endpoint") is Endpoint
    assert plugins == []
    assert registry.find("FromPlugin") is FromPlugin
    assert plugins == ["FromPlugin"]


def test_a_plugin_that_cannot_be_loaded_is_told(plugins: list[str], tmp_path: Path) -> None:
    with pytest.raises(LookupFailedError, match=r"the plug-in Broken \(nowhere:FromPlugin\) fails while"):
        Registry(tmp_path).find("Broken")
    assert plugins == ["Broken"]


def test_a_name_that_is_nowhere_is_looked_for_once(plugins: list[str], tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    for _ in range(3):
        with pytest.raises(LookupFailedError, match="there is no module nonsense"):
            registry.find("nonsense")
    assert plugins == ["nonsense"]


def test_importlib_metadata_is_not_needed_for_a_known_name() -> None:
    code = (
        "import sys; from pathlib import Path; import dragonfly.loader.registry as r; "
        "r.Registry(Path()).find('kv_store'); print('importlib.metadata' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"

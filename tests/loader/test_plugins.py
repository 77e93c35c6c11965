"""A package that is really installed offers its classes to config files, as an entry point of its own."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from dragonfly.implementations import kv_store
from dragonfly.loader import load
from dragonfly.loader.registry import Registry

WriteFile = Callable[..., Path]
FindProblems = Callable[[str], list[str]]

SETUP = """\
from setuptools import setup

setup(
    name="lab-devices",
    version="1.0",
    py_modules=["lab_devices"],
    entry_points={"dragonfly.implementations": ["GasFlow = lab_devices:GasFlow", "kv_store = lab_devices:kv_store"]},
)
"""
DEVICES = """\
from dragonfly.core import Endpoint, Provider


class GasFlow(Endpoint):
    def __init__(self, channel=1, **kwargs):
        super().__init__(**kwargs)
        self.channel = channel


class kv_store(Provider):
    pass
"""


@pytest.fixture(autouse=True)
def _modules_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Load each test's modules anew: several tests use one name."""
    for name in ("lab_devices", "other_devices"):
        monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install a package from its folder into a folder of its own; nothing but setuptools is needed for it."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("site")
    (source / "setup.py").write_text(SETUP, encoding="utf-8")
    (source / "lab_devices.py").write_text(DEVICES, encoding="utf-8")
    where = ["--install-dir", str(target)]
    subprocess.run(
        [sys.executable, "setup.py", "--quiet", "build", "install_lib", *where, "install_egg_info", *where],
        cwd=source,
        check=True,
        capture_output=True,
        timeout=120,
    )
    return target


@pytest.fixture
def offer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put a package on the path as pip leaves it: a module, and what its metadata says of it."""

    def offer_package(package: str, entry: str, source: str) -> None:
        site = tmp_path / f"site_{package}"
        info = site / f"{package}-1.0.dist-info"
        info.mkdir(parents=True)
        (site / f"{package}.py").write_text(dedent(source), encoding="utf-8")
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", encoding="utf-8")
        (info / "entry_points.txt").write_text(f"[dragonfly.implementations]\n{entry}\n", encoding="utf-8")
        monkeypatch.syspath_prepend(str(site))

    return offer_package


def lab(module: str, keys: str = "") -> str:
    return f"name: s\nendpoints:\n  - name: flow\n    module: {module}\n{keys}"


def test_a_class_of_an_installed_package_is_built(
    installed: Path, write: WriteFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(installed))
    config = load(write(lab("GasFlow", "    channel: 3\n")))
    service = config.build_service()
    config.build_endpoints(service)
    flow = service.endpoints["flow"]
    assert (type(flow).__name__, type(flow).__module__) == ("GasFlow", "lab_devices")
    assert vars(flow)["channel"] == 3


def test_its_keys_are_checked_like_ours(
    installed: Path, problems: FindProblems, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(installed))
    assert problems(lab("GasFlow", "    chanel: 3\n")) == [
        "5: s > flow: GasFlow has no key 'chanel'; did you mean channel?"
    ]


def test_a_plugin_with_the_name_of_a_class_of_ours_does_not_win(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(installed))
    assert Registry(tmp_path).find("kv_store") is kv_store
    assert "lab_devices" not in sys.modules


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import no_such_library\n", "ModuleNotFoundError: No module named 'no_such_library'"),
        ("x = 1\n", "AttributeError: module 'other_devices' has no attribute 'GasFlow'"),
        ("raise ValueError('no\\nway')\n", "ValueError: no way"),
        ("open('/no/such/file')\n", "FileNotFoundError: [Errno 2] No such file or directory: '/no/such/file'"),
        ("import sys\nsys.exit(3)\n", "SystemExit: 3"),
        ("x = = 1\n", "SyntaxError: invalid syntax (other_devices.py, line 1)"),
    ],
)
def test_a_broken_plugin_is_one_sentence(
    offer: Callable[..., None], problems: FindProblems, source: str, reason: str
) -> None:
    offer("other_devices", "GasFlow = other_devices:GasFlow", source)
    plugin = "the plug-in GasFlow (other_devices:GasFlow)"
    assert problems(lab("GasFlow")) == [f"4: s > flow: {plugin} fails while it is loaded: {reason}"]


def test_a_plugin_for_dripline_learns_the_new_import(offer: Callable[..., None], problems: FindProblems) -> None:
    offer("other_devices", "GasFlow = other_devices:GasFlow", "from dripline.core import Endpoint\n")
    (found,) = problems(lab("GasFlow"))
    assert "dripline is part of dragonfly now: write `from dragonfly.core import ...`" in found


def test_a_plugin_that_is_no_endpoint_is_refused(offer: Callable[..., None], problems: FindProblems) -> None:
    offer("other_devices", "GasFlow = other_devices:GasFlow", "class GasFlow:\n    pass\n")
    (found,) = problems(lab("GasFlow"))
    assert found == "4: s > flow: GasFlow is no Endpoint: a block needs a class that derives from one"


def test_of_two_packages_with_one_name_neither_wins(offer: Callable[..., None], problems: FindProblems) -> None:
    offer("lab_devices", "GasFlow = lab_devices:GasFlow", DEVICES)
    offer("other_devices", "GasFlow = other_devices:GasFlow", DEVICES)
    both = "lab_devices:GasFlow, other_devices:GasFlow"
    assert problems(lab("GasFlow")) == [
        f"4: s > flow: several installed packages offer GasFlow: {both}; uninstall all but one"
    ]

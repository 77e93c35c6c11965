"""Which classes there are: ours, those of plug-ins, and those of a file's module_path."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dragonfly.core.service import Service
from dragonfly.implementations import kv_store
from dragonfly.loader import ConfigError, catalogue
from dragonfly.loader.catalogue import LookupFailedError

WriteFile = Callable[..., Path]
Offer = Callable[..., None]

DEVICES = "from dragonfly.core import Endpoint, Provider\n\nclass GasFlow(Endpoint):\n    '''A gas flow.'''\n"


@pytest.fixture
def offer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Offer:
    """Put a package on the path as pip leaves it."""

    def offer_package(package: str, *entries: str) -> None:
        site = tmp_path / f"site_{package}"
        info = site / f"{package}-1.0.dist-info"
        info.mkdir(parents=True)
        (site / f"{package}.py").write_text(DEVICES, encoding="utf-8")
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", encoding="utf-8")
        (info / "entry_points.txt").write_text("\n".join(["[dragonfly.implementations]", *entries]), encoding="utf-8")
        monkeypatch.syspath_prepend(str(site))

    return offer_package


def groups() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for entry in catalogue.entries():
        found.setdefault(entry.group, []).append(entry.name)
    return found


def test_all_classes_in_the_order_in_which_they_are_looked_for() -> None:
    found = groups()
    assert list(found)[:2] == ["implementations", "core"]
    assert {"kv_store", "kv_store_key"} <= set(found["implementations"])
    assert {"Spimescape", "Service", "Provider", "Gogol"} <= set(found["core"])
    assert not {"Interface", "Scheduler", "Message"} & set(found["core"])  # no block can be one


def test_each_of_ours_can_be_loaded() -> None:
    for entry in catalogue.entries():
        assert isinstance(entry.load(), type)


def test_a_plugin_is_among_them(offer: Offer) -> None:
    offer("catalogue_devices", "GasFlow = catalogue_devices:GasFlow")
    assert groups()["plug-ins"] == ["GasFlow"]
    assert str(catalogue.find("GasFlow").__doc__).startswith("A gas flow.\n")
    assert catalogue.reused_names() == []


def test_a_plugin_with_a_name_of_ours_is_reported_and_not_listed(offer: Offer) -> None:
    offer("catalogue_rude", "kv_store = catalogue_rude:GasFlow", "Spimescape = catalogue_rude:GasFlow")
    assert "plug-ins" not in groups()
    assert catalogue.find("kv_store") is kv_store
    assert catalogue.find("Spimescape") is Service
    assert catalogue.reused_names() == [
        f"the plug-in {name} (catalogue_rude:GasFlow) has the name of a class of ours, and is never used: rename it"
        for name in ("Spimescape", "kv_store")
    ]


def test_two_plugins_with_one_name_are_reported(offer: Offer) -> None:
    offer("catalogue_one", "GasFlow = catalogue_one:GasFlow")
    offer("catalogue_two", "GasFlow = catalogue_two:GasFlow")
    both = "catalogue_one:GasFlow, catalogue_two:GasFlow"
    assert catalogue.reused_names() == [f"several installed packages offer GasFlow: {both}; uninstall all but one"]
    assert groups()["plug-ins"] == ["GasFlow"]


def test_an_unknown_class_has_a_near_miss() -> None:
    with pytest.raises(LookupFailedError, match="there is no module kv_stor; did you mean kv_store?"):
        catalogue.find("kv_stor")


def test_the_classes_of_a_file_are_those_of_its_module_paths(write: WriteFile) -> None:
    write(DEVICES, "devices.py")
    file = write(
        """
        name: s
        endpoints:
          - {name: a, module: GasFlow, module_path: devices.py}
          - {name: b, module: GasFlow, module_path: devices.py}
          - {name: c, module: Missing, module_path: devices.py}
          - {name: d, module: kv_store_key}
        """
    )
    flow, missing = catalogue.entries_of_file(str(file))
    assert (flow.group, flow.name, flow.load().__name__) == ("devices.py", "GasFlow", "GasFlow")
    with pytest.raises(LookupFailedError, match="has no class Missing; it has GasFlow"):
        missing.load()


def test_a_file_that_cannot_be_read_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        catalogue.entries_of_file(str(tmp_path / "none.yaml"))

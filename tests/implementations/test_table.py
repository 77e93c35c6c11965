"""The implementations are found by their names, whatever is imported first."""

import subprocess
import sys

import pytest

from dragonfly import implementations


@pytest.mark.parametrize("name", implementations.__all__)
def test_each_name_is_a_class_and_listed(name: str) -> None:
    assert isinstance(getattr(implementations, name), type)
    assert name in dir(implementations)


@pytest.mark.parametrize(("alias", "name"), implementations.ALIASES.items())
def test_an_alias_is_the_same_class(alias: str, name: str) -> None:
    assert getattr(implementations, alias) is getattr(implementations, name)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        implementations.nonsense  # noqa: B018


def test_no_file_is_named_like_a_class() -> None:
    assert not {entry.file for entry in implementations.TABLE.values()} & set(implementations.__all__)


@pytest.mark.parametrize(
    "code",
    [
        "import dragonfly; c = dragonfly.implementations.kv_store",
        "from dragonfly.implementations import kv_store as c",
        "import dragonfly.implementations.key_value_store, dragonfly; c = dragonfly.implementations.kv_store",
        "import dragonfly.loader, dragonfly; c = dragonfly.implementations.kv_store",
    ],
)
def test_the_name_is_a_class_in_every_import_order(code: str) -> None:
    done = subprocess.run([sys.executable, "-c", f"{code}; print(c.__name__)"], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("kv_store\n", "")


def test_importing_the_table_imports_no_implementation() -> None:
    code = "import sys, dragonfly.implementations; print([n for n in sys.modules if 'key_value' in n])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"

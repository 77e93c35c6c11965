"""The reader of pages: it does what a page shows, and sees when that is not what happens."""

from pathlib import Path

import pytest

from tests.pages import Reader, changed, compared, page_blocks

PAGE = """\
Some text.

.. code-block:: yaml
    :caption: a/store.yaml

    name: my_store

.. code-block:: python
    :caption: hello.py

    print("hello")

.. code-block:: diff
    :caption: hello.py

    -print("hello")
    +print("good evening")

.. code-block:: console

    $ python hello.py
    good evening
    $ cp hello.py copy.py

.. not run: it ends
   the computer

.. code-block:: console

    $ sudo poweroff

.. code-block:: pycon

    >>> 1 + 1
    2
"""


def read(page: str, directory: Path) -> None:
    file = directory / "page.rst"
    file.write_text(page, encoding="utf-8")
    Reader("127.0.0.1:1", directory).read(file)


def test_a_page_is_done_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    read(PAGE, tmp_path)
    assert (tmp_path / "a" / "store.yaml").read_text(encoding="utf-8") == "name: my_store\n"
    assert (tmp_path / "copy.py").read_text(encoding="utf-8") == 'print("good evening")\n'


@pytest.mark.parametrize(
    ("shown", "wrong", "told"),
    [
        ("    good evening\n", "    good morning\n", "python hello.py"),
        ("-print", "-prin", "expected once"),
        ("a/store.yaml", "../store.yaml", "not the reader's own"),
        (".. not run: it ends\n   the computer\n\n", "", "neither run nor marked"),
        ("    2\n", "    3\n", "Expected"),
    ],
)
def test_what_is_wrong_with_a_page_is_told(shown: str, wrong: str, told: str, tmp_path: Path) -> None:
    assert shown in PAGE
    with pytest.raises(AssertionError, match=told):
        read(PAGE.replace(shown, wrong), tmp_path)


def test_a_block_knows_its_place_its_file_and_why_it_is_not_run(tmp_path: Path) -> None:
    file = tmp_path / "page.rst"
    file.write_text(PAGE, encoding="utf-8")
    blocks = list(page_blocks(file))
    assert [block.caption for block in blocks] == ["a/store.yaml", "hello.py", "hello.py", "", "", ""]
    assert [block.reason for block in blocks] == ["", "", "", "", "it ends", ""]
    directives = [number for number, line in enumerate(PAGE.splitlines(), start=1) if "code-block::" in line]
    assert [block.line for block in blocks] == directives


def test_a_change_that_fits_twice_fits_nowhere() -> None:
    with pytest.raises(AssertionError):
        changed("a\nb\na\n", [" a", "+c"])
    assert changed("a\nb\n", [" a", "+c"]) == "a\nc\nb\n"


def test_what_differs_between_two_readers_is_left_out() -> None:
    assert compared(["2 passed in 0.31s", "", "X (/a/site/x.py)", ""]) == compared(
        ["2 passed in 1.50s", "", "X (/b/c/site-packages/x.py)"]
    )
    assert compared(["2 passed in 0.31s"]) != compared(["3 passed in 0.31s"])
    assert compared(["a", "", "b"]) != compared(["a", "b"])

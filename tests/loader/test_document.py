"""A file that cannot be read, and a text that is no YAML, is one sentence with its line; for both parsers."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from dragonfly.loader import ConfigError, document, load, read_broker
from dragonfly.loader.document import _NodeLoader, read_document


class PythonNodeLoader(yaml.SafeLoader):
    """The parser that PyYAML has where it was built without libyaml."""

    _depth = 0
    descend_resolver = _NodeLoader.descend_resolver
    ascend_resolver = _NodeLoader.ascend_resolver


@pytest.fixture(params=["libyaml", "python"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "python":
        monkeypatch.setattr(document, "_NodeLoader", PythonNodeLoader)
    elif not yaml.__with_libyaml__:
        pytest.skip("PyYAML has no libyaml here")


def problem_of(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        read_document(path)
    (problem,) = caught.value.problems
    return str(problem).removeprefix(str(path)).lstrip(":").lstrip()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name: a\nendpoints:\n\t- name: b\n", "3: a tab stands here"),
        ("name: a\nendpoints:\n  - name: b\n\tmodule: c\n", "4: a tab stands here"),
        ("name: a: b\n", "1: a second ': ' stands in this line"),
        ("name: a\nx: volts: 5\n", "2: a second ': ' stands in this line"),
        ("name: a\n  module: c\n", "2: the indentation of this line does not fit"),
        ("name: a\nx:\n    - name: b\n   module: c\n", "4: the indentation of this line does not fit"),
        ("x:\n  - name: a\n   - name: b\n", "3: the indentation of this line does not fit"),
        ("name: a\n- b\n", "2: the indentation of this line does not fit"),
        ("name: a\nmodule\nx: b\n", "2: expected a key, a colon, a blank and a value in this line"),
        ("name: a\nmodule:b\nx: c\n", "2: expected a key, a colon, a blank and a value in this line"),
        ("x: 1\nname: 'a\nmodule: b\n", "2: a quote is opened here and closed nowhere"),
        ('x: 1\nname: "a\nmodule: b\n', "2: a quote is opened here and closed nowhere"),
        ("name: 'don't'\n", "1: the value ends before the line does: put the whole value in quotes"),
        ("name: 'a' b\n", "1: the value ends before the line does"),
        ("calibration: {}*2\n", "1: the value ends before the line does"),
        ("x: [1, 2]]\n", "1: the value ends before the line does"),
        ("name: a\nx: [a, b\ny: c\n", "2: a list is opened here with [ and not closed with ]"),
        ("name: a\nx: {a: b\ny: c\n", "2: a block is opened here with { and not closed with }"),
        ("x: *bar\n", "1: a value that begins with * needs an anchor"),
        ("calibration: *2\n", "1: a value that begins with * needs an anchor"),
        ("x: * 2\n", "1: * must be followed by the name of an anchor"),
        ("x: & 2\n", "1: & must be followed by the name of an anchor"),
        ("x: &a 1\ny: &a 1\n", "2: the anchor (&) of this line was set above already"),
        ("name: @foo\n", "1: a value cannot begin with @: put it in quotes"),
        ("name: `foo`\n", "1: a value cannot begin with `: put it in quotes"),
        ("x: %5\n", "1: a value cannot begin with %: put it in quotes"),
        ("x: , b\n", "1: the value is missing or begins with a special character"),
        ("x: > b\n", "1: after | or > the text begins in the next line"),
        ('x: "a\\d"\n', "1: in double quotes a backslash begins an escape"),
        ("x: !e!foo a\n", "1: a value that begins with ! is a YAML tag"),
        ("name: a\n---\nname: b\n", "2: a second document begins here: one file describes one service"),
        ("%YAML 2.0\n---\nname: a\n", "1: this is no valid YAML: found incompatible YAML document"),
        ("x: 1\nname: a\x01b\n", r"2: a character that does not print ('\x01') stands here: remove it"),
        ("x: 1\nname: a\0b\n", r"2: a character that does not print ('\x00') stands here: remove it"),
        ("name: a\r\nx: b: c\r\n", "2: a second ': ' stands in this line"),
        ("[" * 200_000, "1: the blocks are nested too deeply"),
        ("- " * 200_000 + "a", "1: the blocks are nested too deeply"),
        ("{a: " * 200_000, "1: the blocks are nested too deeply"),
    ],
    ids=lambda text: repr(text[:20]),
)
@pytest.mark.usefixtures("parser")
def test_a_syntax_error_is_one_plain_sentence(write: Callable[..., Path], text: str, problem: str) -> None:
    path = write("")
    path.write_bytes(text.encode())
    assert problem_of(path).startswith(problem)


@pytest.mark.parametrize("text", ["", "\n\n", "# a comment\n", "\ufeff"])
@pytest.mark.usefixtures("parser")
def test_an_empty_file_is_told(write: Callable[..., Path], text: str) -> None:
    assert problem_of(write(text)) == "the file is empty; it must begin with `name: ...`"


@pytest.mark.parametrize(
    ("text", "line"), [("\n- name: a\n", 2), ("my_store\n", 1), ("name:a\nmodule:b\n", 1), ("5\n", 1)]
)
@pytest.mark.usefixtures("parser")
def test_a_file_must_hold_a_mapping(write: Callable[..., Path], text: str, line: int) -> None:
    assert problem_of(write(text)).startswith(f"{line}: expected lines such as `name: my_store`")


@pytest.mark.usefixtures("parser")
def test_a_byte_order_mark_is_accepted(write: Callable[..., Path]) -> None:
    assert load(write("\ufeffname: my_store\n")).name == "my_store"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"name: a\nx: \xb5A\n", "2: the byte 0xb5 is no UTF-8 text; save the file in the encoding UTF-8"),
        ("name: a\n".encode("utf-16"), "1: the byte 0xff is no UTF-8 text"),
    ],
)
def test_a_file_must_be_utf_8(write: Callable[..., Path], data: bytes, problem: str) -> None:
    path = write("")
    path.write_bytes(data)
    assert problem_of(path).startswith(problem)


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    assert problem_of(tmp_path) == "this is a directory, not a YAML file"


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert problem_of(tmp_path / "a.yaml") == "the file cannot be read: Permission denied"


def test_a_missing_file_has_a_near_miss_beside_it(write: Callable[..., Path]) -> None:
    path = write("name: a\n", "muon_detector.yaml")
    problem = problem_of(path.with_name("muon_detectr.yaml"))
    assert problem == f"there is no such file; did you mean {path}?"


def test_a_missing_file_has_a_near_miss_in_the_examples_of_this_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "muon_detector.yaml").touch()
    monkeypatch.chdir(tmp_path)
    problem = problem_of(Path("muon_detector.yaml"))
    assert problem == f"there is no such file; did you mean {Path('examples') / 'muon_detector.yaml'}?"


def test_a_missing_file_has_a_near_miss_in_the_examples_of_the_checkout(tmp_path: Path) -> None:
    problem = problem_of(tmp_path / "nowhere" / "kv_store_tutorail.yaml")
    assert problem.startswith("there is no such file; did you mean ")
    assert problem.endswith(f"{Path('examples') / 'kv_store_tutorial.yaml'}?")


def test_a_missing_file_like_none_has_no_near_miss(tmp_path: Path) -> None:
    assert problem_of(tmp_path / "qqqqqqqqqq") == "there is no such file"


@pytest.mark.parametrize(
    ("text", "broker"),
    [
        ("name: a\nbroker: myrna.p8\n", "myrna.p8"),
        ("name: a\nbroker: amqp://u:p@host:5673/v\n", "amqp://u:p@host:5673/v"),
        ("name: a\nbroker: [one, 'amqp://u:p@two/v']\n", ["one", "amqp://u:p@two/v"]),
        ("name: a\nbroker: one,two\n", "one,two"),
        ("name: a\n", None),
        ("name: a\nbroker:\n", None),
        ("nodename: old\nbroker: host\nproviders: [{module: nonsense}]\n", "host"),
    ],
)
def test_a_client_reads_only_the_broker(write: Callable[..., Path], text: str, broker: str | None) -> None:
    assert read_broker(write(text)) == broker


@pytest.mark.parametrize(
    "broker", ["5", "[]", "[a, 5]", "[a, [b]]", "[a, two words]", "{host: a}", "on", "two words", "http://host"]
)
@pytest.mark.parametrize("read", [load, read_broker])
def test_a_broker_that_is_none_is_told(write: Callable[..., Path], broker: str, read: Callable[[Path], object]) -> None:
    path = write(f"name: s\nbroker: {broker}\n")
    with pytest.raises(ConfigError, match=r"lab\.yaml:2: s: .*broker"):
        read(path)


def test_the_ending_that_all_files_share_makes_no_two_names_alike(tmp_path: Path) -> None:
    assert problem_of(tmp_path / "nope.yaml") == "there is no such file"

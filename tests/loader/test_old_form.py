"""A file of the old form, `nodename` and `providers`, is read as well, and checked as any other."""

import logging
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from dragonfly.core.service import Service
from dragonfly.loader import load, read_broker

WriteFile = Callable[..., Path]
FindProblems = Callable[[str], list[str]]

OLD_FORM = """\
nodename: my_store
broker: localhost
providers:
  - name: my_price_list
    module: KVStore
    endpoints:
      - name: peaches
        module: KVStoreKey
        initial_value: 0.75
"""


def test_it_becomes_a_service_with_its_providers(write: WriteFile) -> None:
    path = write(OLD_FORM)
    config = load(path)
    service = config.build_service()
    config.build_endpoints(service)
    assert type(service) is Service
    assert (config.name, config.broker, read_broker(path)) == ("my_store", "localhost", "localhost")
    assert list(service.endpoints) == ["my_price_list"]
    assert service.endpoints["my_price_list"].provider is service


def test_keys_of_a_service_are_accepted_too(problems: FindProblems) -> None:
    assert problems(f"heartbeat: 5\n{OLD_FORM}") == []


def test_one_sentence_tells_what_replaces_it(write: WriteFile, caplog: pytest.LogCaptureFixture) -> None:
    path = write(OLD_FORM)
    with caplog.at_level(logging.INFO, logger="dragonfly"):
        load(path)
    told = [(record.levelname, record.getMessage()) for record in caplog.records if "form" in record.getMessage()]
    assert told == [("INFO", f"{path} has the old form: name and endpoints replace nodename and providers")]


def test_a_file_of_the_new_form_is_told_nothing(write: WriteFile, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="dragonfly"):
        load(write("name: my_store\nendpoints: []\n"))
    assert "form" not in caplog.text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "nodename: s\nname: s\n",
            ["2: s: name is of the new form, and nodename in line 1 of the old one: write name and endpoints in "],
        ),
        (
            "name: s\nproviders: []\n",
            ["1: s: name is of the new form, and providers in line 2 of the old one: "],
        ),
        (
            "nodename: s\nendpoints: []\n",
            ["2: s: endpoints is of the new form, and nodename in line 1 of the old one: "],
        ),
        (
            "nodename: s\nmodule: Spimescape\nproviders: []\nendpoints: []\n",
            ["2: s: module is of the new form, and nodename", "4: s: endpoints is of the new form, and nodename"],
        ),
        ("nodename: s\nbrokr: x\n", ["2: s: Spimescape has no key 'brokr'; did you mean broker?"]),
        ("nodename: s\nprovders: []\n", ["2: s: Spimescape has no key 'provders'; did you mean providers?"]),
        ("nodename: s\nxyz: 1\n", ["2: s: Spimescape has no key 'xyz'; its keys are nodename, broker, "]),
        (
            "nodenam: s\nproviders: []\n",
            [
                "1: service: the nodename is missing; is nodenam a misspelling of it?",
                "1: service: Spimescape has no key 'nodenam'; did you mean nodename?",
            ],
        ),
        ("nodename: 5\n", ["1: 5: the nodename must be a text: put 5 in quotes"]),
        ("nodename: on\n", ["1: on: the nodename must be a text: put on in quotes (without them it is a truth"]),
        ("nodename: a b\n", ["1: a b: "]),
        ("nodename: s\nproviders: 3\n", ["2: s: providers must be a list of blocks, each of which begins with"]),
        ("nodename: s\nnodename: t\n", ["2: s: the key 'nodename' stands twice in this block, first in line 1"]),
        ("nodename: s\nbroker: [5]\n", ["2: s: broker must be a text"]),
        (
            "nodename: s\nproviders:\n  - nodename: a\n    module: kv_store\n",
            ["3: s > a: the name is missing", "3: s > a: kv_store has no key 'nodename'"],
        ),
        (
            """\
            nodename: s
            providers:
              - name: s
                module: kv_stor
              - name: b
                module: kv_store
                endpoints:
                  - name: c
                    module: kv_store_key
                    log_intervall: 3
                    initial_value: 010
            """,
            [
                "3: s > s: the name s is used twice, first in line 1 (s)",
                "4: s > s: there is no module kv_stor; did you mean kv_store?",
                "10: s > b > c: kv_store_key has no key 'log_intervall'; did you mean log_interval?",
                "11: s > b > c: YAML reads 010 in base 8",
            ],
        ),
    ],
)
def test_each_problem_has_its_line_and_its_place(problems: FindProblems, text: str, expected: list[str]) -> None:
    found = problems(dedent(text))
    assert len(found) == len(expected), found
    for problem, beginning in zip(found, expected, strict=True):
        assert problem.startswith(beginning)

"""Every problem of a file is told with its line, its place in the tree, and what was expected."""

from collections.abc import Callable

import pytest

FindProblems = Callable[[str], list[str]]

STORE = """\
name: my_store
module: Spimescape
endpoints:
  - name: my_price_list
    module: kv_store
    endpoints:
      - name: peaches
        module: kv_store_key
"""


def test_a_correct_file_has_no_problem(problems: FindProblems) -> None:
    assert problems(STORE) == []


def test_the_first_block_needs_no_module(problems: FindProblems) -> None:
    assert problems("name: my_store\n") == []


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            "log_intervall: 30",
            "9: my_store > my_price_list > peaches: kv_store_key has no key 'log_intervall'; "
            "did you mean log_interval?",
        ),
        (
            "module: kv_store_key",
            "9: my_store > my_price_list > peaches: the key 'module' stands twice in this block",
        ),
        (
            "on: 3",
            "9: my_store > my_price_list > peaches: YAML reads the key on as a truth value: put it in quotes",
        ),
        ("~: 3", "9: my_store > my_price_list > peaches: YAML reads the key ~ as nothing: put it in quotes"),
        ("[a]: 3", "9: my_store > my_price_list > peaches: a key must be a text or a number, not a list"),
        (
            "1: 3",
            "9: my_store > my_price_list > peaches: kv_store_key has no key 1; its keys are name, ",
        ),
        (
            "calibration: {no: 1}",
            "9: my_store > my_price_list > peaches: YAML reads the key no as a truth value: put it in quotes",
        ),
        (
            "calibration: {a: 1, a: 2}",
            "9: my_store > my_price_list > peaches: the key 'a' stands twice in this block, first in line 9",
        ),
        ("endpoints: []", "9: my_store > my_price_list > peaches: kv_store_key cannot have endpoints"),
        ("_value: 3", "9: my_store > my_price_list > peaches: kv_store_key has no key '_value'"),
    ],
)
def test_a_line_in_an_endpoint_is_refused(problems: FindProblems, line: str, problem: str) -> None:
    found = problems(f"{STORE}        {line}\n")
    assert len(found) == 1
    assert found[0].startswith(problem)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("on", "the name must be a text: put on in quotes (without them it is a truth value)"),
        ("5", "the name must be a text: put 5 in quotes"),
        ("010", "the name must be a text: put 010 in quotes"),
        ("[a]", "the name must be a text, not a list"),
        ("{a: b}", "the name must be a text, not a block"),
        ("", "the name is missing"),
        ("~", "the name is missing"),
        ("''", "the name is missing"),
        ("two words", "'two words' is no legal name"),
        ("a.b", "'a.b' is no legal name"),
        ("broadcast", "'broadcast' is a reserved name"),
        ("request_reply_1", "'request_reply_1' is a reserved name"),
        ("a" * 201, "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' is no legal name"),
    ],
)
@pytest.mark.parametrize("level", ["service", "endpoint"])
def test_a_name_is_refused(problems: FindProblems, name: str, problem: str, level: str) -> None:
    text = f"name: {name}\n"
    if level == "endpoint":
        text = f"name: s\nendpoints:\n  - module: kv_store\n    name: {name}\n"
    (found,) = problems(text)
    assert found.startswith("1: " if level == "service" else "4: s > ")
    assert f": {problem}" in found


@pytest.mark.parametrize("name", ["1e3", "2015-12-04", "'on'", "'5'", "a-b_C9", "a" * 200])
def test_a_name_is_accepted(problems: FindProblems, name: str) -> None:
    assert problems(f"name: {name}\n") == []


def test_a_missing_name_is_told_with_the_number_of_its_block(problems: FindProblems) -> None:
    assert problems("name: s\nendpoints:\n  - module: kv_store\n") == ["3: s > endpoint 1: the name is missing"]
    assert problems("broker: localhost\n") == ["1: service: the name is missing"]


def test_a_misspelt_name_is_recognised(problems: FindProblems) -> None:
    missing, unknown = problems("naem: s\n")
    assert missing == "1: service: the name is missing; is naem a misspelling of it?"
    assert unknown == "1: service: Spimescape has no key 'naem'; did you mean name?"


@pytest.mark.parametrize("module", ["module:", "modul: kv_store", "module: ''", "log_interval: 3"])
def test_a_child_needs_a_module(problems: FindProblems, module: str) -> None:
    (found,) = problems(f"name: s\nendpoints:\n  - name: a\n    {module}\n")
    assert "s > a: module, the class of this block, is missing" in found
    assert found.endswith("is modul a misspelling of it?") == (module == "modul: kv_store")


@pytest.mark.parametrize(
    ("module", "problem"),
    [
        ("kv_stor", "there is no module kv_stor; did you mean kv_store?"),
        ("KV_STORE_KEY", "there is no module KV_STORE_KEY; did you mean kv_store_key?"),
        ("xyz", "there is no module xyz; classes of your own need a module_path"),
        ("constants", "there is no module constants"),
        ("__doc__", "there is no module __doc__"),
        ("DataLogger", "DataLogger is no Endpoint"),
        ("Interface", "Interface is no Endpoint"),
        ("Spimescape", "Spimescape is a service, which only the first block of a file can be"),
        ("on", "module must be a text: put on in quotes"),
        ("[kv_store]", "module must be a text, not a list"),
    ],
)
def test_a_module_is_refused(problems: FindProblems, module: str, problem: str) -> None:
    (found,) = problems(f"name: s\nendpoints:\n  - name: a\n    module: {module}\n")
    assert found.startswith(f"4: s > a: {problem}")


def test_the_first_block_must_be_a_service(problems: FindProblems) -> None:
    (found,) = problems("name: s\nmodule: kv_store\n")
    assert found == "2: s: kv_store is no service: the first block needs Spimescape or another service"


@pytest.mark.parametrize("module", ["Service", "Spimescape"])
@pytest.mark.parametrize("child", ["kv_store", "KVStore", "Provider", "KVStoreKey", "Endpoint", "Spime"])
def test_modules_are_found_by_name_and_by_alias(problems: FindProblems, module: str, child: str) -> None:
    assert problems(f"name: s\nmodule: {module}\nendpoints:\n  - name: a\n    module: {child}\n") == []


def test_a_name_is_used_once_in_the_whole_tree(problems: FindProblems) -> None:
    found = problems(
        """\
        name: s
        endpoints:
          - name: a
            module: kv_store
            endpoints:
              - {name: x, module: kv_store_key}
              - {name: s, module: kv_store_key}
          - name: b
            module: kv_store
            endpoints:
              - {name: x, module: kv_store_key}
              - {name: x, module: kv_store_key}
        """
    )
    assert found == [
        "7: s > a > s: the name s is used twice, first in line 1 (s)",
        "11: s > b > x: the name x is used twice, first in line 6 (s > a > x)",
        "12: s > b > x: the name x is used twice, first in line 6 (s > a > x)",
    ]


def test_an_alias_of_a_whole_block_uses_its_name_twice(problems: FindProblems) -> None:
    found = problems("name: s\nendpoints: [&a {name: a, module: kv_store}, *a]\n")
    assert found == ["2: s > a: the name a is used twice, first in line 2 (s > a)"]


@pytest.mark.parametrize(
    ("endpoints", "problem"),
    [
        (
            "endpoints:",
            "3: s: endpoints must be a list of blocks, each of which begins with `- name: `; found nothing",
        ),
        ("endpoints: peaches", "3: s: endpoints must be a list of blocks"),
        ("endpoints: {name: a}", "3: s: endpoints must be a list of blocks"),
        ("endpoints:\n  -name: a", "3: s: endpoints must be a list of blocks"),
        (
            "endpoints: [peaches]",
            "3: s > endpoint 1: expected a block that begins with `- name: `, found peaches",
        ),
        ("endpoints:\n  -", "4: s > endpoint 1: expected a block that begins with `- name: `, found nothing"),
        ("endpoints: !!python/tuple []", "3: s: the tag !!python/tuple is refused"),
        ("endpoints: [!mine {name: a}]", "3: s > a: the tag !mine is refused"),
        ("endpoints: [[]]", "3: s > endpoint 1: expected a block that begins with `- name: `, found a list"),
    ],
)
def test_endpoints_must_be_a_list_of_blocks(problems: FindProblems, endpoints: str, problem: str) -> None:
    (found,) = problems(f"name: s\nmodule: Spimescape\n{endpoints}\n")
    assert found.startswith(problem)


def test_what_stands_below_a_faulty_block_is_checked_too(problems: FindProblems) -> None:
    found = problems(
        """\
        name: s
        brokr: localhost
        endpoints:
          - name: a
            module: nonsense
            endpoints:
              - name: x
                module: kv_store_key
                log_intervall: 3
                endpoints:
                  - name: y
          - peaches
          - name: b c
            module: kv_store
        """
    )
    assert [line.partition(":")[0] for line in found] == ["2", "5", "9", "10", "11", "12", "13"]


def test_blocks_may_share_keys_by_a_merge(problems: FindProblems) -> None:
    text = """\
        name: s
        endpoints:
          - &first
            name: a
            module: kv_store_key
            log_interval: 30
          - <<: *first
            name: b
          - {<<: [*first], name: c, log_interval: 3}
        """
    assert problems(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "name: s\nendpoints: &e\n  - {name: a, module: kv_store, endpoints: *e}\n",
        "name: s\nendpoints:\n  - &e {name: a, module: kv_store, endpoints: [*e]}\n",
        "name: s\nbroker: &e [*e]\n",
        "name: s\nendpoints:\n  - &e {name: a, module: kv_store, <<: *e}\n",
    ],
)
def test_what_contains_itself_is_refused(problems: FindProblems, text: str) -> None:
    assert "contains itself through an alias" in "\n".join(problems(text))


def test_aliases_that_multiply_are_stopped(problems: FindProblems) -> None:
    lines = ["  a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"  a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    found = problems("name: s\nkeys:\n" + "\n".join(lines) + "\n")
    assert len(found) == 1
    assert "multiply to more than 1,000,000 values" in found[0]


def test_aliases_cannot_nest_without_end(problems: FindProblems) -> None:
    lines = ["  a0: &a0 [x]"] + [f"  a{n}: &a{n} [*a{n - 1}]" for n in range(1, 2000)]
    assert "the aliases (*) nest too deeply" in problems("name: s\nkeys:\n" + "\n".join(lines) + "\n")[0]

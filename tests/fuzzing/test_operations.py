"""Whatever is asked of whatever class, it answers with a value or an error of ours, and goes on answering."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from dragonfly import implementations
from dragonfly.core.codec import decode, encode
from dragonfly.core.constants import OP_CMD, OPERATION_NAMES
from dragonfly.core.exceptions import DriplineError, DriplinePayloadError
from dragonfly.core.lockout import NOBODY
from dragonfly.core.message import ReplyMessage, RequestMessage
from dragonfly.core.request_job import Job, attempt
from tests.fuzzing.part import part
from tests.fuzzing.trees import KEYWORDS, NAMES, PAYLOADS, SPECIFIERS, Tree
from tests.fuzzing.values import SCALARS

LOCKOUT_KEY = "0123456789abcdef" * 2
REQUESTS = st.tuples(
    st.sampled_from(NAMES),
    st.sampled_from(sorted(OPERATION_NAMES)),
    SPECIFIERS,
    PAYLOADS,
    st.one_of(st.none(), st.just(LOCKOUT_KEY), SCALARS),
)


def test_the_tree_has_every_implementation() -> None:
    assert KEYWORDS.keys() == implementations.TABLE.keys(), "a new class needs its keywords in tests/fuzzing/trees.py"


def asked(tree: Tree, name: str, operation: int, specifier: str, payload: Any, lockout_key: Any) -> None:
    """Do what a service does with a request that came."""
    try:
        body = encode(RequestMessage(operation, payload, lockout_key=lockout_key))
        request = decode(body, "application/json")
        assert isinstance(request, RequestMessage)
        nothing: Any = None
        job = Job(nothing, request, tree.endpoints[name], nothing, specifier)
    except DriplineError as err:
        assert str(err)
        return
    assert job.is_ping in (True, False) and job.is_for_the_desk in (True, False)
    result, error = attempt(job.endpoint, operation, specifier, job.args, job.kwargs, job.origin)
    if error is None:
        assert not specifier.startswith(("_", "on_")), "what is private was touched"
        encode(ReplyMessage(result))
    else:
        assert isinstance(error, DriplineError), repr(error)
        assert len(str(error)) < 3_000
        try:
            encode(ReplyMessage(error.result))
        except DriplinePayloadError:
            raise AssertionError("its result cannot be carried") from error


def check_that_it_answers(tree: Tree) -> None:
    tree.stub.clock.advance(1.0)
    for name, endpoint in tree.endpoints.items():
        for command in ("ping", "lock_status", "describe"):
            result, error = attempt(endpoint, OP_CMD, command, [], {}, NOBODY)
            assert error is None, (name, command, error)
            encode(ReplyMessage(result))
        assert endpoint.name == name


@part(st.lists(REQUESTS, min_size=1, max_size=6), count=600)
def test_any_request_is_answered_and_the_tree_goes_on(requests: list[tuple[str, int, str, Any, Any]]) -> None:
    tree = Tree()
    for request in requests:
        asked(tree, *request)
    check_that_it_answers(tree)

"""A worker that asks with the product's client: python -m tests.bench.many_client HOST:PORT TARGET."""

from __future__ import annotations

import sys

from dragonfly.core import Interface
from tests.bench.answering import answer_lines


def main(address: str, target: str) -> None:
    """Answer lines until there are no more."""
    with Interface(address) as interface:

        def many(count: int) -> None:
            replies = list(interface.request_many([target] * count))
            if len(replies) != count or any(reply.retcode for reply in replies):
                raise RuntimeError(f"not all of {count} gets were answered well")

        def one_by_one(count: int) -> None:
            for _ in range(count):
                interface.get(target)

        answer_lines(many, one_by_one)


if __name__ == "__main__":
    main(*sys.argv[1:])

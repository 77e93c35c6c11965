"""Fixtures of the tests on a real mesh."""

from tests.brokers import node, own_broker, unused_address

__all__ = ["node", "own_broker", "unused_address"]

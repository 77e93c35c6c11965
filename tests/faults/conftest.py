"""Fixtures of the tests of faults."""

from tests.brokers import node, own_broker, unused_address

__all__ = ["node", "own_broker", "unused_address"]

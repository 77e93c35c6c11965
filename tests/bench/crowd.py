"""Many clients at once, all driven by one thread."""

from __future__ import annotations

import selectors
import time
from contextlib import ExitStack

from tests.bench.load import GET, TIMEOUT_MS, LoadGenerator


class Crowd:
    """Many clients at once, each on a connection of its own, with one request in flight.

    Args:
        address: HOST:PORT of the broker.
        size: how many clients.
    """

    def __init__(self, address: str, size: int) -> None:
        self._clients = [LoadGenerator(address) for _ in range(size)]
        self._stack = ExitStack()

    def __enter__(self) -> Crowd:
        with ExitStack() as stack:
            for client in self._clients:
                stack.enter_context(client)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def rate(self, target: str, each: int) -> float:
        """Return how many gets a second are answered, when each client sends so many."""
        requests = {client: [client.request_frames(target, GET)[1] for _ in range(each)] for client in self._clients}
        with selectors.DefaultSelector() as selector:
            begin = time.perf_counter()
            for client, left in requests.items():
                selector.register(client, selectors.EVENT_READ, client)
                client.send(left.pop())
            answered, count = 0, each * len(requests)
            while answered < count:
                ready = selector.select(TIMEOUT_MS / 1000)
                if not ready:
                    raise TimeoutError(f"{answered} of {count} gets were answered")
                for key, _ in ready:
                    answered += self._go_on(key.data, requests)
            return count / (time.perf_counter() - begin)

    @staticmethod
    def _go_on(client: LoadGenerator, requests: dict[LoadGenerator, list[bytes]]) -> int:
        """Read what came for a client and send its next request, where it was the reply; return how many replies."""
        replies = client.count_replies(GET.good)
        if replies and requests[client]:
            client.send(requests[client].pop())
        return replies

"""A Listener that hears what a test wants, and messages for it."""

import types

from dragonfly.core.codec import encode
from dragonfly.core.message import RequestMessage

SENDER = {"username": "u", "exe": "e", "package": "dripline", "hostname": "h", "version": "v", "commit": "g"}


def delivery(body, routing_key="peaches", **properties):
    given = {
        "exchange": "requests",
        "app_id": "dripline.core.Service",
        "content_encoding": "application/json",
        "headers": {},
    }
    return types.SimpleNamespace(body=body, routing_key=routing_key, **{**given, **properties})


REQUEST = delivery(encode(RequestMessage(1, {"values": []}, timestamp="2015-12-05T01:25:03Z", sender_info=SENDER)))


class FakeListener:
    """Gives what the test has put into `deliveries`, then Ctrl-C."""

    deliveries = ()
    made = None
    stopped = 0
    error = None
    burst = 1

    def before_wait(self):
        pass

    def __init__(self, broker, exchanges, keys, name):
        FakeListener.made = (broker, exchanges, keys)
        self._left = list(self.deliveries)

    def start(self):
        if self.error:
            raise self.error

    def stop(self):
        FakeListener.stopped += 1

    def next_burst(self, timeout):
        if self._left:
            burst, self._left = self._left[: self.burst], self._left[self.burst :]
            return [entry for entry in burst if entry is not None]
        if timeout == 0:
            return []
        self.before_wait()
        if timeout is None:
            raise KeyboardInterrupt
        return []

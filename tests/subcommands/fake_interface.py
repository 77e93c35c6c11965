"""An Interface that answers what a test wants, and remembers what it was asked."""

from dragonfly.core.exceptions import DriplineValueError

PEACHES = {"value_cal": 1.5, "value_raw": "0.75"}
KEY = "0123456789abcdef0123456789abcdef"


class FakeInterface:
    """Answers with what the test has put into `answer`, and notes what it was asked."""

    answer = None
    asked = None
    made = None

    def __init__(self, broker=None, name=None, confirm_retcodes=True, timeout=10.0):
        FakeInterface.made = (broker, name, confirm_retcodes, timeout)
        if broker == "nonsense":
            raise DriplineValueError("'nonsense' is no address of a broker")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def request(self, routing_key, msgop, payload, timeout=None, lockout_key=None):
        FakeInterface.asked = ("request", routing_key, msgop, payload, lockout_key)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    def request_all(self, routing_key, msgop, payload, timeout=None, lockout_key=None, quiet_time=None):
        FakeInterface.asked = ("request_all", routing_key, msgop, payload, lockout_key, quiet_time)
        return self.answer

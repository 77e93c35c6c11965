"""Bodies of messages: those that the tutorial's version sent, and requests with a field of one's own."""

import json
from typing import Any

from dragonfly.core.message import AlertMessage, Message, ReplyMessage, RequestMessage

JSON = "application/json"
SENDER = (
    b'"sender_info": {"username": "lab", "exe": "/usr/local/bin/dragonfly", "package": "dripline",'
    b' "hostname": "host", "version": "v3.1.0", "commit": "gb107ec5"}'
)


def body(**fields: Any) -> bytes:
    """Return a request's body with these fields instead of its own; a field of `...` is left out."""
    whole = {"msgtype": 3, "msgop": 1, "payload": {"values": []}, **fields}
    return json.dumps({key: value for key, value in whole.items() if value is not ...}).encode()


# What the tutorial's version sent, as a broker saw it.
OBSERVED: list[tuple[bytes, type[Message], dict[str, Any]]] = [
    (
        b'{"timestamp": "2026-11-24T06:04:45Z", "msgop": 6, "msgtype": 3, %s,'
        b' "payload": {"values": ["log_interval"]}}' % SENDER,
        RequestMessage,
        {"msgop": 6, "payload": {"values": ["log_interval"]}, "lockout_key": None},
    ),
    (
        b'{"timestamp": "2026-11-24T06:04:47Z", "msgop": 1, "msgtype": 3, %s, "payload": {"values": []}}' % SENDER,
        RequestMessage,
        {"msgop": 1, "payload": {"values": []}, "timestamp": "2026-11-24T06:04:47Z"},
    ),
    (
        b'{"timestamp": "2026-11-24T06:04:51Z", "msgop": 9, "msgtype": 3, %s,'
        b' "payload": {"values": [], "value": 2.5}}' % SENDER,
        RequestMessage,
        {"msgop": 9, "payload": {"values": [], "value": 2.5}},
    ),
    (
        b'{"msgtype": 3, %s, "lockout_key": "abcd", "timestamp": "2026-11-24T06:04:50Z",'
        b' "payload": {"values": [10]}, "msgop": 0}' % SENDER,
        RequestMessage,
        {"msgop": 0, "payload": {"values": [10]}, "lockout_key": "abcd"},
    ),
    (
        b'{"msgtype": 2, %s, "timestamp": "2026-11-24T06:04:47Z",'
        b' "payload": {"value_cal": 1.5, "value_raw": "0.75"}, "return_msg": "", "retcode": 0}' % SENDER,
        ReplyMessage,
        {"payload": {"value_cal": 1.5, "value_raw": "0.75"}, "retcode": 0, "return_msg": ""},
    ),
    (
        b'{"msgtype": 2, %s, "timestamp": "2026-11-24T06:04:51Z", "payload": {"values": [null]}, "return_msg":'
        b' "on_set() got an unexpected keyword argument \'routing_key_specifier\'", "retcode": 999}' % SENDER,
        ReplyMessage,
        {"payload": {"values": [None]}, "retcode": 999},
    ),
    (
        b'{"timestamp": "2026-11-24T06:04:49Z", "msgtype": 4,'
        b' "payload": {"value_cal": 2.98, "value_raw": "1.49"}, %s}' % SENDER,
        AlertMessage,
        {"payload": {"value_cal": 2.98, "value_raw": "1.49"}},
    ),
]

"""Requests and replies of the tutorial's own version, as they were seen on the broker, and where we differ on purpose.

Each row: what was typed, routing key, body of the request, and the reply's payload, code and text; None is a request
that came back because nobody was bound for it.
"""

from typing import Any, NamedTuple


class Observed(NamedTuple):
    """One request and its reply."""

    typed: str
    routing_key: str
    msgop: int
    payload: dict[str, Any]
    reply: tuple[dict[str, Any], int, str | None] | None
    lockout_key: str | None = None
    alert: dict[str, Any] | None = None


SILENT = ({"values": [None]}, 0, "operation completed silently")

# The order counts: what one request sets, the next ones show. A text of None is not compared.
OBSERVED = [
    Observed("config peaches log_interval", "peaches", 6, {"values": ["log_interval"]}, ({"values": [30]}, 0, "")),
    Observed("config peaches log_interval 10", "peaches", 6, {"values": ["log_interval", 10]}, SILENT),
    Observed("get peaches", "peaches", 1, {"values": []}, ({"value_cal": 1.5, "value_raw": "0.75"}, 0, "")),
    Observed("get peaches.log_interval", "peaches.log_interval", 1, {"values": []}, ({"values": [10.0]}, 0, "")),
    Observed(  # the original stored 1.49
        "set peaches 1.5",
        "peaches",
        0,
        {"values": [1.5]},
        ({"value_cal": 3.0, "value_raw": "1.5"}, 0, ""),
        alert={"value_cal": 3.0, "value_raw": "1.5"},
    ),
    Observed(  # a key that is none: the original did not look
        "set peaches.log_interval 10 --lockout-key abcd",
        "peaches.log_interval",
        0,
        {"values": [10]},
        ({"values": [None]}, 308, None),
        lockout_key="abcd",
    ),
    Observed("cmd peaches.ping", "peaches.ping", 9, {"values": []}, SILENT),
    Observed(  # 999 and a Python error's text in the original
        "cmd peaches.on_set value=2.5",
        "peaches.on_set",
        9,
        {"values": [], "value": 2.5},
        ({"values": [None]}, 306, None),
    ),
    Observed(
        "run my_price_list 1 x=2",
        "my_price_list",
        8,
        {"values": [1], "x": 2},
        ({"values": [None]}, 306, "requested method not supported by this endpoint"),
    ),
    Observed("send my_price_list hello world", "my_price_list", 7, {"values": ["hello", "world"]}, SILENT),
    Observed(  # 999 in the original
        "set peaches.log_interval -5", "peaches.log_interval", 0, {"values": [-5]}, ({"values": [None]}, 304, None)
    ),
    Observed("get nosuch", "nosuch", 1, {"values": []}, None),
    Observed("cmd broadcast.ping", "broadcast.ping", 9, {"values": []}, SILENT),  # the original knew no broadcast
]

# Typed from what was seen: a client's body has its keys in any order, and no service_name.
SENDER_INFO = {
    "username": "lab",
    "exe": "/usr/local/bin/dragonfly",
    "package": "dripline",
    "hostname": "host",
    "version": "v3.1.0",
    "commit": "gb107ec5",
}

"""A tree of every class that a config file can name, without a broker; and requests to it."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from dragonfly import implementations
from dragonfly.core.alert_consumer import AlertConsumer
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.mesh_access import attributes, commands
from dragonfly.core.provider import Provider, tree_of
from dragonfly.core.service import Service
from dragonfly.core.spime import Spime
from tests.fuzzing.values import JSON, SCALARS, TEXTS
from tests.stub_service import StubService

# What a class needs besides its name; one that needs an instrument stands on a scripted one here.
KEYWORDS: dict[str, dict[str, Any]] = {
    "kv_store": {},
    "kv_store_key": {"initial_value": 1, "calibration": "2*{}", "limits": [-10, 1e300]},
}


class Thermometer(Spime):
    """Answers always the same."""

    def on_get(self) -> Any:
        return {"value_raw": "21.5", "value_cal": 21.5}

    def on_set(self, value: Any) -> None:
        self._value = value


class Listening(AlertConsumer):
    """Takes alerts."""

    def this_consume(self, message: Any, method: Any) -> None:
        """Take one."""


class Tree:
    """The endpoints by name, on services that are on no mesh."""

    def __init__(self) -> None:
        self.stub = StubService("stub")
        house = Provider(name="house")
        self.stub.add_endpoint(house)
        for number, (name, keywords) in enumerate(sorted(KEYWORDS.items())):
            cls = getattr(implementations, name)
            house.add_endpoint(cls(name=f"implementation{number}", **keywords))
        for endpoint in (
            Endpoint(name="endpoint"),
            Provider(name="provider"),
            Thermometer(name="spime", log_interval=10, max_interval=100, max_fractional_change=0.1, log_on_set=True),
        ):
            house.add_endpoint(endpoint)
        services = [Service(name="service"), Listening(name="consumer")]
        services[0].add_endpoint(Thermometer(name="sensor", get_on_set=True))
        roots: list[Provider] = [self.stub, *services]
        found = [endpoint for root in roots for endpoint in (root, *tree_of(root))]
        self.endpoints: dict[str, Endpoint] = {endpoint.name: endpoint for endpoint in found}


_TREE = Tree()
NAMES = sorted(_TREE.endpoints)
_MEMBERS = {name for each in _TREE.endpoints.values() for name in (*attributes(each), *commands(type(each)))}
_PRIVATE = [
    "__class__",
    "__init__",
    "_value",
    "on_get",
    "on_set",
    "handle",
    "provider",
    "not_for_the_mesh",
    "stop",
    "request",
]
SPECIFIERS = st.one_of(st.just(""), st.sampled_from(sorted(_MEMBERS)), st.sampled_from(_PRIVATE), TEXTS)
_WORDS = st.sampled_from(
    ["on", "off", "start", "nan", "1e3", "ping", "name", "2*{}", "peaches", *NAMES, *sorted(_MEMBERS)]
)
_VALUES = st.one_of(_WORDS, SCALARS, JSON)
_KEYS = st.one_of(
    st.sampled_from(["values", "self", "method", "origin", "lease", "force", "value", "args", "kwargs", "attribute"]),
    TEXTS,
)
PAYLOADS = st.one_of(
    st.fixed_dictionaries({"values": st.lists(_VALUES, max_size=3)}),
    st.builds(
        lambda values, others: {**others, "values": values},
        st.lists(_VALUES, max_size=2),
        st.dictionaries(_KEYS, _VALUES, max_size=2),
    ),
    JSON,
)

"""What a client can reach of a service that runs: every name that its objects have is tried over the mesh."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from dragonfly.core.message import ReplyMessage
from dragonfly.core.service import Service
from dragonfly.implementations.key_value_store import kv_store, kv_store_key
from dragonfly.testing import Mesh
from tests.core.test_mesh_access_table import PROVIDER, SERVICE, SPIME, Table

KEY = "0123456789abcdef0123456789abcdef"
TABLES = {"shop": SERVICE, "store": PROVIDER, "peaches": SPIME}


@pytest.fixture
def shop(mesh: Mesh) -> Service:
    service = Service(name="shop", broker=mesh.address)
    store = kv_store(name="store")
    store.add_endpoint(kv_store_key(name="peaches", initial_value=1, log_interval=30))
    service.add_endpoint(store)
    return mesh.serve(service)


def every_request(service: Service) -> Iterator[tuple[str, ...]]:
    """Give a get, a set and a cmd of every name, but for the lock, which would refuse all that follows."""
    for endpoint in service.subtree():
        names = sorted({*dir(endpoint), *vars(endpoint), "clock.now", "__init__.__globals__"} - {"lock"})
        for name in names:
            yield "get", f"{endpoint.name}.{name}"
            yield "set", f"{endpoint.name}.{name}", "x"
            yield "cmd", f"{endpoint.name}.{name}"


def answers(mesh: Mesh, service: Service) -> Iterator[tuple[str, str, Table, ReplyMessage]]:
    requests = list(every_request(service))
    replies = mesh.client.request_many(requests)
    for (verb, target, *_), reply in zip(requests, replies, strict=True):
        endpoint, _, name = target.partition(".")
        yield verb, name, TABLES[endpoint], reply


# What is reached, and given nothing that fits: a set of "x", and a command without what it needs.
def is_done(verb: str, reply: ReplyMessage) -> bool:
    return not reply.failed or reply.retcode == {"set": 304, "cmd": 303}.get(verb)


def test_each_name_is_answered_as_the_tables_say_and_the_service_is_as_before(mesh: Mesh, shop: Service) -> None:
    tree = [(endpoint.name, set(vars(endpoint))) for endpoint in shop.subtree()]
    wrong: dict[str, Any] = {}
    for verb, name, table, reply in answers(mesh, shop):
        wanted = table.code(verb, name)
        if not (is_done(verb, reply) if wanted is None else reply.retcode == wanted):
            wrong[f"{verb} {name}"] = (reply.retcode, wanted, reply.return_msg)
    assert wrong == {}
    assert [(endpoint.name, set(vars(endpoint))) for endpoint in shop.subtree()] == tree
    assert mesh.client.get("peaches").payload["value_raw"] == "1"


def test_no_reply_holds_the_key_of_a_lock(mesh: Mesh, shop: Service) -> None:
    mesh.client.cmd("shop", "lock", lockout_key=KEY)
    replies = [reply for _, _, _, reply in answers(mesh, shop)]
    assert sum(reply.retcode == 307 for reply in replies) > 50
    assert [reply for reply in replies if KEY in json.dumps(reply.to_dict())] == []
    assert all(endpoint.is_locked for endpoint in shop.subtree())

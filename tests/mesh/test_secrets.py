"""A password, wherever it was given, is in nothing that a program prints or shows to others."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dragonfly.testing import RabbitMQNode
from tests.mesh.program import DRAGONFLY, Program, environment

USER, PASSWORD = "wanda", "Xylophon-77-kiwi"
# As a URL has it, and in the ways in which a program might print it.
WRITTEN = "Xylophon%2D77-kiwi"
SHOWN = (PASSWORD, WRITTEN, "WGF5bG9waG9uLTc3LWtpd2", "Xylophon")
WAYS = ["option", "variable", "config", "list", "user and password", "file"]


class Person:
    """Somebody who says in one of the ways who she is.

    Args:
        way: one of WAYS.
        address: HOST:PORT of the broker.
        home: a directory for her files.
    """

    def __init__(self, way: str, address: str, home: Path) -> None:
        url = f"amqp://{USER}:{WRITTEN}@{address}/"
        named = {"config": url, "list": f"['{url.replace('127.0.0.1', 'localhost')}', '{url}']"}
        broker = f"broker: {named[way]}\n" if way in named else ""
        self.config = home / "store.yaml"
        self.config.write_text(
            f"name: my_store\n{broker}endpoints:\n  - {{name: peaches, module: kv_store_key, initial_value: 0.75}}\n"
        )
        self.env = {**environment(address), "HOME": str(home)}
        self.words = ["-b", url] if way == "option" else []
        if way == "variable":
            self.env["DRAGONFLY_BROKER"] = url
        elif way == "user and password":
            self.env.update(DRAGONFLY_USER=USER, DRAGONFLY_PASSWORD=PASSWORD)
        elif way == "file":
            file = home / "who.json"
            file.write_text(json.dumps({"amqp": {"username": USER, "password": PASSWORD}}))
            self.words = ["--auth-file", str(file)]

    def run(self, *words: str) -> tuple[int, str]:
        """Run a command to its end; return its status and all that it printed."""
        done = subprocess.run(
            [*DRAGONFLY, *words, *self.words], env=self.env, capture_output=True, text=True, timeout=30
        )
        return done.returncode, done.stdout + done.stderr


def check(text: str) -> None:
    found = [secret for secret in SHOWN if secret in text]
    assert not found, text


@pytest.fixture
def person(request: pytest.FixtureRequest, broker: Any, tmp_path: Path) -> Person:
    return Person(request.param, broker.address, tmp_path)


@pytest.fixture
def known(node: RabbitMQNode) -> RabbitMQNode:
    """Give a broker that knows her."""
    if USER not in node.ctl("list_users"):
        node.ctl("add_user", USER, PASSWORD)
        node.ctl("set_permissions", USER, ".*", ".*", ".*")
    return node


@pytest.mark.rabbitmq
@pytest.mark.parametrize("person", WAYS, indirect=True)
def test_nothing_that_a_mesh_prints_or_tells_has_the_password(
    known: RabbitMQNode, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.mesh.program.environment", lambda address: person.env)
    config = ["-c", str(person.config)]
    with Program("", "serve", *config, "-vvv", *person.words) as service:
        service.wait_for("stderr", "starting event loop for node")
        with Program("", "monitor", "-e", "requests", "-vvv", *config, *person.words) as monitor:
            monitor.wait_for("stderr", "starting to monitor")
            for words in (["get", "peaches"], ["cmd", "my_store", "describe"], ["get", "my_store.statistics"]):
                status, text = person.run(*words, "-vvv", *config)
                assert status == 0, text
                check(text)
            for attribute in ("broker", "settings", "_settings", "wire"):
                status, text = person.run("get", f"my_store.{attribute}", "-vvv", *config)
                assert status == 1, text
                check(text)
            check(known.ctl("list_connections", "name", "user", "client_properties"))
            check("".join(monitor.end()[1:3]))
        check("".join(service.end()[1:3]))


@pytest.mark.parametrize("person", WAYS, indirect=True)
@pytest.mark.parametrize("verb", [["get", "peaches"], ["monitor"], ["serve"]], ids=lambda words: words[0])
def test_no_refusal_has_the_password(person: Person, verb: list[str], broker: Any) -> None:
    if isinstance(broker, RabbitMQNode) and USER in broker.ctl("list_users"):
        broker.ctl("delete_user", USER)
    status, text = person.run(*verb, "-vvv", "-c", str(person.config))
    assert status == 3, text
    assert f"refused user {USER}" in text
    check(text)


BROKEN: list[Callable[[str], str]] = [
    lambda url: f"name: my_store\nbroker: {url}\nendpoints: 5\n",
    lambda url: f"name: my_store\nbroker: {url}\nbroker: {url}\n",
    lambda url: f"name: my_store\nbroker: [{url}, 5]\n",
    lambda url: f"name: my_store\nbroker: {url}x/y\n",
    lambda url: f"name: my_store\nbroker: {{{url}: }}\n",
    lambda url: f"name: my_store\nbrokers: {url}\n",
    lambda url: f"name: my_store\n  broker: {url}\n",
    lambda url: f"broker: {url}\n",
]


@pytest.mark.parametrize("number", range(len(BROKEN)))
@pytest.mark.parametrize("verb", ["get", "check"])
def test_no_problem_of_a_config_file_has_the_password(number: int, verb: str, tmp_path: Path) -> None:
    config = tmp_path / "store.yaml"
    config.write_text(BROKEN[number](f"amqp://{USER}:{WRITTEN}@127.0.0.1:1"))
    words = [verb, *(["peaches"] if verb == "get" else []), "-vvv", "-c", str(config)]
    done = subprocess.run(
        [*DRAGONFLY, *words], env={**os.environ, "HOME": str(tmp_path)}, capture_output=True, text=True, timeout=30
    )
    assert done.returncode in (2, 3, 5, 6)
    check(done.stdout + done.stderr)

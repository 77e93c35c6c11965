"""serve: the order of the start, the overrides, and the statuses."""

import logging
import os
import re
import signal
import types

import pytest

import dragonfly.loader
from dragonfly.cli import main
from dragonfly.core.exceptions import (
    DriplineAMQPConnectionError,
    DriplineError,
    DriplineValueError,
    ServiceStartError,
)
from dragonfly.loader import ConfigError, Problem
from dragonfly.status_log_handlers import slack


class FakeService:
    """Notes what is done to it."""

    name = "my_store"

    def __init__(self):
        self.settings = types.SimpleNamespace(status_alerts=False, slack_channel="")
        self.alerts = []
        self.calls = []
        self.run_action = lambda: None

    def send_alert(self, routing_key, payload):
        self.alerts.append((routing_key, payload))

    def connect(self):
        self.calls.append("connect")

    def run(self):
        self.calls.append("run")
        self.run_action()

    def stop(self):
        self.calls.append("stop")

    def request_stop(self):
        self.calls.append("request_stop")


class FakeConfig:
    """A config file that is good, but for `problems`."""

    name = "my_store"

    def __init__(self):
        self.broker = None
        self.problems = []
        self.overrides = None
        self.service = FakeService()

    def build_service(self, **overrides):
        self.overrides = overrides
        return self.service

    def build_endpoints(self, service):
        service.calls.append("build_endpoints")
        if self.problems:
            raise ConfigError(self.problems)


@pytest.fixture
def config(monkeypatch):
    config = FakeConfig()
    monkeypatch.setattr(dragonfly.loader, "load", lambda path: config)
    monkeypatch.delenv("DRAGONFLY_BROKER", raising=False)
    return config


def test_it_needs_a_config_file(capsys):
    assert main(["serve"]) == 2
    err = capsys.readouterr().err
    assert err.endswith("-> serve needs a config file: dragonfly serve -c FILE\n")
    assert len(err.splitlines()) == 1


def test_the_order_of_the_start(config, capsys):
    assert main(["serve", "-c", "file.yaml", "-v"]) == 0
    assert config.service.calls == ["connect", "build_endpoints", "run", "stop"]
    line = capsys.readouterr().err
    assert re.fullmatch(r"\S+\[INFO    \] dragonfly\.subcommands\.serve\(\d+\) -> starting my_store\n", line)


def test_it_is_silent_without_v(config, capsys):
    assert main(["serve", "-c", "file.yaml"]) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("options", "in_file", "environment", "broker"),
    [
        (["-b", "option"], "file", "environment", "option"),
        (["-b"], "file", "environment", "localhost"),
        (["-b", ""], "file", "environment", ""),
        ([], "file", "environment", None),
        ([], "", "environment", None),
        ([], None, "environment", "environment"),
        ([], None, "", None),
    ],
)
def test_the_broker_is_the_options_the_files_or_the_environments(
    options, in_file, environment, broker, config, monkeypatch
):
    config.broker = in_file
    monkeypatch.setenv("DRAGONFLY_BROKER", environment)
    main(["serve", "-c", "file.yaml", *options])
    assert config.overrides["broker"] == broker


def test_a_broker_that_is_no_address_is_a_mistake_of_the_command_line(config, capsys):
    assert main(["serve", "-c", "file.yaml", "-b", "http://host"]) == 2
    assert config.overrides is None
    assert "http://" in capsys.readouterr().err


def test_keys_override_the_files(config):
    main(["serve", "-c", "file.yaml"])
    assert config.overrides["keys"] is None
    main(["serve", "-c", "file.yaml", "-k", "a.#", "-k", "b"])
    assert config.overrides["keys"] == ["a.#", "b"]


def test_all_problems_of_the_file_are_printed(config, capsys):
    config.problems = [Problem("file.yaml", 3, "my_store", "one"), Problem("file.yaml", 4, "my_store", "two")]
    assert main(["serve", "-c", "file.yaml"]) == 5
    assert config.service.calls[-1] == "stop"
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition("-> ")[2] for line in lines] == [
        "file.yaml:3: my_store: one",
        "file.yaml:4: my_store: two",
    ]


def test_a_missing_file(capsys):
    assert main(["serve", "-c", "no_such_file.yaml"]) == 5
    assert "no_such_file.yaml" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (
            ServiceStartError("my_store is already served by u on h (e)"),
            6,
            "my_store is already served by u on h",
        ),
        (DriplineValueError("my_store has two endpoints named x"), 6, "my_store has two endpoints named x"),
        (DriplineAMQPConnectionError("broker x refused user guest"), 3, "broker x refused user guest"),
        (RuntimeError("a device file's"), 6, "unexpected RuntimeError: a device file's"),
    ],
)
def test_a_failure_is_one_sentence_and_its_status(error, status, sentence, config, capsys):
    def fail():
        raise error

    config.service.run_action = fail
    assert main(["serve", "-c", "file.yaml"]) == status
    assert config.service.calls[-1] == "stop"
    err = capsys.readouterr().err
    assert sentence in err
    assert len(err.splitlines()) == 1
    # What ends a service is critical; what nobody foresaw is the program's, not the service's.
    assert ("[CRITICAL]" in err) is isinstance(error, (DriplineError, ServiceStartError))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_each_signal_asks_the_service_to_stop(number, config):
    def be_signalled():
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)

    config.service.run_action = be_signalled
    assert main(["serve", "-c", "file.yaml"]) == 0
    assert config.service.calls[2:] == ["run", "request_stop", "request_stop", "stop"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_before_the_start_ends_it(number, config, monkeypatch):
    monkeypatch.setattr(config, "build_endpoints", lambda service: os.kill(os.getpid(), number))
    assert main(["serve", "-c", "file.yaml"]) == 0
    assert config.service.calls == ["connect", "stop"]


def logged_while_it_runs(config):
    config.service.run_action = lambda: logging.getLogger("dragonfly.test").critical("it burns")


@pytest.mark.parametrize(("key", "alerts"), [(False, []), (True, [("status_message.critical.my_store", "it burns")])])
def test_its_key_makes_alerts_of_its_records(key, alerts, config):
    config.service.settings.status_alerts = key
    logged_while_it_runs(config)
    assert main(["serve", "-c", "file.yaml"]) == 0
    assert config.service.alerts == alerts


@pytest.mark.parametrize(("cls", "status"), [(ServiceStartError, 6), (DriplineAMQPConnectionError, 3)])
@pytest.mark.parametrize(("options", "channel"), [([], "#alarms"), (["--no-slack"], "")])
def test_critical_records_go_to_the_channel_unless_the_person_wants_it_not(
    options, channel, cls, status, config, monkeypatch
):
    error = cls("my_store, which was on the mesh, gives up")
    posted = []

    def handler(source):
        if not source.slack_channel:
            return None
        handler = logging.Handler(logging.CRITICAL)
        handler.emit = lambda record: posted.append((source.name, source.slack_channel, record.getMessage()))
        return handler

    monkeypatch.setattr(slack, "handler", handler)
    config.service.settings.slack_channel = "#alarms"

    def fail():
        raise error

    config.service.run_action = fail
    assert main(["serve", "-c", "file.yaml", *options]) == status
    assert [each[:2] for each in posted] == ([] if not channel else [("my_store", channel)])
    assert all("my_store, which was on the mesh, gives up" in text for _, _, text in posted)

"""How a verb ends: which error makes which status, and who is named in the log."""

import logging

import pytest

from dragonfly.core import exceptions
from dragonfly.core.credentials import AuthenticationsFileError, CredentialsError
from dragonfly.core.exceptions import DriplineError
from dragonfly.subcommands.exit_status import CommandError, Status, command_error

# All others are mistakes of the command line.
STATUSES = {
    "DriplineAMQPError": (Status.NO_BROKER, "{}"),
    "DriplineAMQPConnectionError": (Status.NO_BROKER, '{}; another broker is named with "-b" or "--broker"'),
    "DriplineTimeoutError": (Status.NO_REPLY, "{}"),
    "DriplineDecodingError": (Status.FAILED, "the reply cannot be understood: {}"),
    "DriplineNoMessageEncodingError": (Status.FAILED, "the reply cannot be understood: {}"),
}
OWN = [
    cls
    for cls in vars(exceptions).values()
    if isinstance(cls, type) and issubclass(cls, DriplineError) and cls.__module__ == exceptions.__name__
]


def test_the_statuses_are_those_of_the_reference() -> None:
    assert {status.name: status.value for status in Status} == {
        "SUCCESS": 0,
        "FAILED": 1,
        "USAGE": 2,
        "NO_BROKER": 3,
        "NO_REPLY": 4,
        "BAD_CONFIG": 5,
        "NOT_SERVING": 6,
        "INTERRUPTED": 130,
    }


@pytest.mark.parametrize("cls", OWN, ids=lambda cls: cls.__name__)
def test_each_error_has_its_status_and_its_sentence(cls: type[DriplineError]) -> None:
    status, sentence = STATUSES.get(cls.__name__, (Status.USAGE, "{}"))
    error = command_error(cls("lab is away"))
    assert (error.status, error.args) == (status, (sentence.format("lab is away"),))


def test_the_table_names_errors_that_exist() -> None:
    assert set(STATUSES) <= {cls.__name__ for cls in OWN}


@pytest.mark.parametrize("cls", [CredentialsError, AuthenticationsFileError])
def test_what_says_who_we_are_is_configuration(cls: type[DriplineError]) -> None:
    assert command_error(cls("half")).status is Status.BAD_CONFIG


def test_a_report_is_a_record_for_each_sentence_in_the_name_of_the_verb(caplog: pytest.LogCaptureFixture) -> None:
    verb = logging.getLogger("dragonfly.subcommands.verb")
    assert CommandError(Status.NO_REPLY, "one", "two %s").report(verb, logging.CRITICAL) is Status.NO_REPLY
    assert [(each.levelname, each.name, each.getMessage(), each.filename) for each in caplog.records] == [
        ("CRITICAL", verb.name, "one", "test_exit_status.py"),
        ("CRITICAL", verb.name, "two %s", "test_exit_status.py"),
    ]

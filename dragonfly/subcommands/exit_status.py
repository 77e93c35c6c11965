"""How a verb ends: the exit statuses, and the one exception that carries one."""

from __future__ import annotations

import logging
from enum import IntEnum

from dragonfly.core.credentials import CredentialsError
from dragonfly.core.exceptions import (
    DriplineAMQPConnectionError,
    DriplineAMQPError,
    DriplineDecodingError,
    DriplineError,
    DriplineNoMessageEncodingError,
    DriplineTimeoutError,
)


class Status(IntEnum):
    """The exit status of the program."""

    SUCCESS = 0  # warnings included; also monitor and serve on Ctrl-C, and a closed pipe
    FAILED = 1  # a reply with an error's return code
    USAGE = 2
    NO_BROKER = 3  # not reachable, refuses us, or takes no messages
    NO_REPLY = 4
    BAD_CONFIG = 5
    NOT_SERVING = 6  # the service could not start, or ended by an error
    INTERRUPTED = 130  # Ctrl-C while a request waits, or a broadcast that was not confirmed


class CommandError(Exception):
    """A verb cannot do what it was asked.

    Args:
        status: with what the program ends.
        sentences: what a person has to know.
    """

    def __init__(self, status: Status, *sentences: str) -> None:
        super().__init__(*sentences)
        self.status = status

    def report(self, logger: logging.Logger, level: int = logging.ERROR) -> Status:
        """Log the sentences in the name of the verb that calls this, and return the status."""
        for sentence in self.args:
            logger.log(level, "%s", sentence, stacklevel=2)
        return self.status


def command_error(error: DriplineError) -> CommandError:
    """Return the failure that an error on our side of the mesh is."""
    if isinstance(error, DriplineAMQPConnectionError):
        return CommandError(Status.NO_BROKER, f'{error}; another broker is named with "-b" or "--broker"')
    if isinstance(error, DriplineAMQPError):
        return CommandError(Status.NO_BROKER, str(error))
    if isinstance(error, DriplineTimeoutError):
        return CommandError(Status.NO_REPLY, str(error))
    if isinstance(error, (DriplineDecodingError, DriplineNoMessageEncodingError)):
        return CommandError(Status.FAILED, f"the reply cannot be understood: {error}")
    if isinstance(error, CredentialsError):
        return CommandError(Status.BAD_CONFIG, str(error))
    return CommandError(Status.USAGE, str(error))

"""Return codes and exceptions: one registry with two doors.

A reply carries a number, Python code raises an exception. `exception_from_reply` turns the first into the second,
`reply_fields` the second into the first; both look into `exception_map` and nowhere else. A code that this release
does not know survives as a number.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any, TypeVar

exception_map: dict[int, type[DriplineError]] = {}

# From here on a return code means that the request failed; below it the request succeeded, maybe with a warning.
FIRST_ERROR_CODE = 100


class DriplineError(Exception):
    """Base of everything that a reply can carry.

    Args:
        message: one sentence: what, which endpoint, what was expected.
        result: what the reply's payload shall hold although the request failed.
    """

    retcode: int = 999
    when_raised: str = "never raised itself; base of the others"

    def __init__(self, message: str = "", result: Any = None) -> None:
        super().__init__(message)
        self.result = result


class ServiceStartError(Exception):
    """A service could not start, or could not go on: the sentence says why."""


DriplineException = DriplineError

_Class = TypeVar("_Class", bound=type[DriplineError])


def _register(retcode: int, when_raised: str) -> Callable[[_Class], _Class]:
    def enter(cls: _Class) -> _Class:
        if retcode in exception_map:
            raise ValueError(f"return code {retcode} of {cls.__name__} is {exception_map[retcode].__name__}'s")
        cls.retcode = retcode
        cls.when_raised = when_raised
        exception_map[retcode] = cls
        return cls

    return enter


@_register(0, "the request succeeded and its text is worth reading")
class DriplineWarning(DriplineError):
    """Success with a remark."""


@_register(1, "there was nothing to do, such as unlocking what is not locked")
class DriplineNoActionWarning(DriplineError):
    """Success, because nothing had to be done."""


@_register(100, "the broker refused a message or closed a channel")
class DriplineAMQPError(DriplineError):
    """AMQP error."""


@_register(101, "the broker cannot be reached, refuses us, or takes no messages")
class DriplineAMQPConnectionError(DriplineError):
    """AMQP connection error."""


@_register(102, "no service listens to the target")
class DriplineAMQPRoutingKeyError(DriplineError):
    """AMQP routing key error."""


@_register(200, "an instrument reported an error or behaved unexpectedly")
class DriplineHardwareError(DriplineError):
    """Instrument error."""


@_register(201, "an instrument cannot be reached")
class DriplineHardwareConnectionError(DriplineError):
    """Instrument connection error."""


@_register(202, "an instrument does not answer")
class DriplineHardwareResponselessError(DriplineError):
    """Instrument does not answer."""


@_register(300, "the software, not the request, is at fault")
class DriplineInternalError(DriplineError):
    """Internal error."""


@_register(301, "a message does not say how it is encoded")
class DriplineNoMessageEncodingError(DriplineError):
    """Message without content_encoding."""


@_register(302, "a message cannot be decoded, or is no message of this protocol")
class DriplineDecodingError(DriplineError):
    """Message that cannot be decoded."""


@_register(303, "a payload has the wrong form, number of values or keys, or cannot be carried")
class DriplinePayloadError(DriplineError):
    """Payload error."""


@_register(304, "a value is not acceptable, or names something that does not exist")
class DriplineValueError(DriplineError):
    """Value error."""


@_register(305, "no reply came in time, or a request came too late to be started")
class DriplineTimeoutError(DriplineError):
    """Time-out."""


@_register(306, "the endpoint does not do this operation, or not for the mesh")
class DriplineMethodNotSupportedError(DriplineError):
    """Operation not supported."""


@_register(307, "the endpoint is locked and the request does not carry its key")
class DriplineAccessDenied(DriplineError):
    """Endpoint is locked."""


@_register(308, "a lockout key is not 32 hexadecimal digits")
class DriplineInvalidKey(DriplineError):
    """Malformed lockout key."""


@_register(309, "the request uses a form that is no longer supported")
class DriplineDeprecated(DriplineError):
    """Form that is no longer supported."""


@_register(320, "the endpoint's lane, or the service, has too much to do")
class DriplineBusyError(DriplineError):
    """Too much to do."""


@_register(321, "the service is shutting down")
class DriplineStoppingError(DriplineError):
    """Service is shutting down."""


@_register(322, "a handler sent a request to its own lane, which would wait for itself")
class DriplineOwnLaneError(DriplineError):
    """Request to the own lane."""


@_register(400, "a database refused or failed")
class DriplineDatabaseError(DriplineError):
    """Database error."""


@_register(500, "data acquisition failed")
class DriplineGenericDAQError(DriplineError):
    """Data acquisition error."""


@_register(501, "data acquisition is not enabled")
class DriplineDAQNotEnabled(DriplineError):
    """Data acquisition is not enabled."""


@_register(502, "data acquisition is running")
class DriplineDAQRunning(DriplineError):
    """Data acquisition is running."""


@_register(999, "a handler raised something that is no dripline error")
class DriplineUnhandledError(DriplineError):
    """Error that nobody handled."""


def is_error(retcode: int) -> bool:
    """Tell whether a return code means that the request failed."""
    return retcode >= FIRST_ERROR_CODE


def exception_from_reply(retcode: int, return_msg: str, payload: Any = None) -> DriplineError:
    """Make the exception that a reply's code stands for; an unknown code keeps its number in `retcode`."""
    known = exception_map.get(retcode)
    if known is not None:
        return known(return_msg, result=payload)
    error = DriplineError(return_msg, result=payload)
    error.retcode = retcode
    return error


def reply_fields(error: BaseException) -> tuple[int, str, Any]:
    """Return the return code, text and payload of the reply that an exception becomes.

    The code is a number that a reply can carry, whatever somebody's class of an error has in its place.
    """
    name = type(error).__name__
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - an error of somebody's own class, whose text fails, is an error all the same
        text = ""
    if isinstance(error, DriplineError):
        return error.retcode if _is_code(error.retcode) else DriplineUnhandledError.retcode, text, error.result
    return DriplineUnhandledError.retcode, f"{name}: {text}" if text else name, None


def is_remark(error: BaseException) -> bool:
    """Tell whether an exception stands for a success with a remark."""
    return not is_error(reply_fields(error)[0])


def _is_code(retcode: object) -> bool:
    return isinstance(retcode, int) and not isinstance(retcode, bool) and retcode >= 0


def place_of(error: BaseException) -> str:
    """Return where in somebody's class an error arose, as what follows its text; nothing for one of ours."""
    frames = [] if isinstance(error, DriplineError) else traceback.extract_tb(error.__traceback__)
    return f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""

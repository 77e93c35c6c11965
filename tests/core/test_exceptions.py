"""Return codes become exceptions, and exceptions return codes."""

from typing import Any

import pytest

from dragonfly.core import exceptions
from dragonfly.core.exceptions import (
    DriplineDatabaseError,
    DriplineError,
    DriplineHardwareError,
    DriplineValueError,
    ServiceStartError,
    exception_from_reply,
    exception_map,
    is_error,
    is_remark,
    reply_fields,
)

CODES = {
    0: "DriplineWarning",
    1: "DriplineNoActionWarning",
    100: "DriplineAMQPError",
    101: "DriplineAMQPConnectionError",
    102: "DriplineAMQPRoutingKeyError",
    200: "DriplineHardwareError",
    201: "DriplineHardwareConnectionError",
    202: "DriplineHardwareResponselessError",
    300: "DriplineInternalError",
    301: "DriplineNoMessageEncodingError",
    302: "DriplineDecodingError",
    303: "DriplinePayloadError",
    304: "DriplineValueError",
    305: "DriplineTimeoutError",
    306: "DriplineMethodNotSupportedError",
    307: "DriplineAccessDenied",
    308: "DriplineInvalidKey",
    309: "DriplineDeprecated",
    320: "DriplineBusyError",
    321: "DriplineStoppingError",
    322: "DriplineOwnLaneError",
    400: "DriplineDatabaseError",
    500: "DriplineGenericDAQError",
    501: "DriplineDAQNotEnabled",
    502: "DriplineDAQRunning",
    999: "DriplineUnhandledError",
}
UNKNOWN = (1, 2, 99, 103, 310, 401, 1000, 1200, -5)


def test_the_registry_holds_these_codes_and_no_other() -> None:
    assert {code: cls.__name__ for code, cls in exception_map.items()} == CODES


@pytest.mark.parametrize(("code", "name"), CODES.items())
def test_a_class_knows_its_code_and_when_it_is_raised(code: int, name: str) -> None:
    cls = getattr(exceptions, name)
    assert cls.retcode == code
    assert cls.__bases__ == (DriplineError,)
    assert len(cls.when_raised.split()) >= 3


@pytest.mark.parametrize("code", [*CODES, *(code for code in UNKNOWN if code >= 0)])
def test_a_reply_survives_the_way_to_an_exception_and_back(code: int) -> None:
    error = exception_from_reply(code, "plums: no", {"value_raw": 3})
    assert type(error) is exception_map.get(code, DriplineError)
    assert reply_fields(error) == (code, "plums: no", {"value_raw": 3})


@pytest.mark.parametrize("retcode", [None, "5", 5.0, True, -1, [5]])
def test_what_is_no_return_code_is_999_and_no_remark(retcode: Any) -> None:
    error = DriplineError("own")
    error.retcode = retcode
    assert reply_fields(error) == (999, "own", None)
    assert not is_remark(error)


def test_an_unknown_return_code_survives_without_changing_the_class() -> None:
    assert exception_from_reply(1200, "").retcode == 1200
    assert DriplineError("").retcode == 999
    assert exception_from_reply(1201, "").retcode == 1201


@pytest.mark.parametrize("code", sorted(exception_map))
def test_a_raised_class_becomes_its_own_code(code: int) -> None:
    assert reply_fields(exception_map[code]("why", result=[1])) == (code, "why", [1])


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("bad"), "ValueError: bad"),
        (KeyError("k"), "KeyError: 'k'"),
        (ZeroDivisionError(), "ZeroDivisionError"),
        (OSError(5, "Input/output error"), "OSError: [Errno 5] Input/output error"),
        (SystemExit(3), "SystemExit: 3"),
        (RuntimeError("\N{DEGREE SIGN}C"), "RuntimeError: \N{DEGREE SIGN}C"),
    ],
)
def test_any_other_exception_is_999_and_says_its_name(error: BaseException, text: str) -> None:
    assert reply_fields(error) == (999, text, None)


@pytest.mark.parametrize(
    ("code", "failed"), [(0, False), (1, False), (99, False), (100, True), (102, True), (1200, True)]
)
def test_codes_below_100_succeed(code: int, failed: bool) -> None:
    assert is_error(code) is failed


def test_a_second_use_of_a_code_fails() -> None:
    with pytest.raises(ValueError, match=r"return code 304 of Other is DriplineValueError's"):
        exceptions._register(304, "never")(type("Other", (DriplineError,), {}))
    assert exception_map[304] is DriplineValueError


def test_a_subclass_of_ones_own_keeps_the_code_of_its_parent() -> None:
    class Overheated(DriplineHardwareError):
        pass

    assert reply_fields(Overheated("too hot")) == (200, "too hot", None)


@pytest.mark.parametrize("arguments", [(), ("text",), ("text", {"values": [1]})])
def test_text_and_result_are_optional(arguments: tuple[Any, ...]) -> None:
    error = DriplineDatabaseError(*arguments)
    assert str(error) == (arguments[0] if arguments else "")
    assert error.result == (arguments[1] if len(arguments) > 1 else None)


def test_the_old_name_of_the_base_is_the_base() -> None:
    assert exceptions.DriplineException is DriplineError


def test_a_service_that_cannot_start_is_no_reply() -> None:
    assert not issubclass(ServiceStartError, DriplineError)

"""From an operation to the method that does it."""

from typing import Any

import pytest

from dragonfly.core.constants import OP_CMD, OP_CONFIG, OP_GET, OP_RUN, OP_SEND, OP_SET
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import (
    DriplineError,
    DriplineHardwareError,
    DriplineMethodNotSupportedError,
    DriplinePayloadError,
    DriplineValueError,
)
from dragonfly.core.provider import Provider
from tests.core.recorder import Recorder
from tests.stub_service import StubService


@pytest.fixture
def recorder() -> Recorder:
    return Recorder(name="peaches", calibration="2*{}")


@pytest.mark.parametrize(
    ("operation", "specifier", "args", "kwargs", "result"),
    [
        (OP_GET, "", [], {}, {"value_cal": 1.5, "value_raw": "0.75"}),
        (OP_GET, "setpoint", [], {}, 4.2),
        (OP_GET, "calibration", [], {}, "2*{}"),
        (OP_SET, "", [5], {}, "set to 5"),
        (OP_SET, "", [[1, 2]], {}, "set to [1, 2]"),
        (OP_SET, "", [None], {}, "set to None"),
        (OP_SET, "", [5], {"unit": "mV"}, "set to 5"),
        (OP_SET, "setpoint", [5], {}, None),
        (OP_CONFIG, "", ["setpoint"], {}, 4.2),
        (OP_CONFIG, "", ["setpoint", None], {}, 4.2),
        (OP_CONFIG, "", ["setpoint", 5], {}, None),
        (OP_CMD, "ping", [], {}, None),
        (OP_CMD, "move", [1], {}, ["move", 1, 0.0]),
        (OP_CMD, "move", [], {"x": 1, "y": 2}, ["move", 1, 2]),
        (OP_CMD, "free", ["a"], {"values_": [1]}, ["free", ("a",), {"values_": [1]}]),
        (OP_RUN, "", [], {}, ["run", (), {}]),
        (OP_RUN, "", [1, "a"], {"x": 2}, ["run", (1, "a"), {"x": 2}]),
        (OP_SEND, "", ["*IDN?", 7], {}, ["send", ("*IDN?", 7)]),
        # the positional forms of the tutorial's era
        (OP_GET, "", ["setpoint"], {}, 4.2),
        (OP_GET, "", ["get-on-set"], {}, False),
        (OP_SET, "", ["setpoint", 5], {}, None),
        (OP_SET, "", ["get-on-set", True], {}, None),
        (OP_CONFIG, "", ["get-on-set"], {}, False),
        (OP_CMD, "", ["ping"], {}, None),
        (OP_CMD, "", ["move", 1, 2], {}, ["move", 1, 2]),
        (OP_CMD, "", ["move"], {"x": 1}, ["move", 1, 0.0]),
        # with a specifier the first value is no name
        (OP_CMD, "free", ["ping"], {}, ["free", ("ping",), {}]),
        (OP_SET, "", ["setpoint"], {}, "set to setpoint"),
    ],
)
def test_an_operation_gives_its_result(
    recorder: Recorder, operation: int, specifier: str, args: list[Any], kwargs: dict[str, Any], result: Any
) -> None:
    assert recorder.handle(operation, specifier, args, kwargs) == result


@pytest.mark.parametrize(
    ("operation", "specifier", "args", "kwargs", "text"),
    [
        (OP_GET, "", [5], {}, "peaches: a get takes no values"),
        (OP_GET, "", ["a", "b"], {}, "peaches: a get takes no values"),
        (OP_GET, "setpoint", [5], {}, "peaches: a get takes no values"),
        (OP_GET, "", [], {"x": 1}, "peaches: a get takes no values"),
        (OP_SET, "", [], {}, "peaches: a set takes one value, not 0"),
        (OP_SET, "", [1, 2], {}, "peaches: a set takes one value, not 2"),
        (OP_SET, "", ["a", 2, 3], {}, "peaches: a set takes one value, not 3"),
        (OP_SET, "setpoint", [], {}, "peaches: a set takes one value, not 0"),
        (OP_SET, "setpoint", [1, 2], {}, "peaches: a set takes one value, not 2"),
        (OP_SET, "setpoint", [1], {"x": 1}, "peaches.setpoint: a set of an attribute takes one value and no keys"),
        (OP_SET, "", [1], {"colour": 1}, "peaches takes (value, unit='V'); these values do not fit"),
        (OP_SET, "", [1], {"value": 1}, "peaches takes (value, unit='V'); these values do not fit"),
        (OP_CONFIG, "", [], {}, "peaches: config takes an attribute's name and, to set it, a value"),
        (OP_CONFIG, "", [5], {}, "peaches: config takes an attribute's name"),
        (OP_CONFIG, "", ["a", 1, 2], {}, "peaches: config takes an attribute's name"),
        (OP_CONFIG, "setpoint", [5], {}, "peaches: config takes an attribute's name"),
        (OP_CONFIG, "", ["setpoint"], {"x": 1}, "peaches: config takes an attribute's name"),
        (OP_CMD, "", [], {}, "peaches: which command? It is written peaches.COMMAND"),
        (OP_CMD, "", [5], {}, "peaches: which command?"),
        (OP_CMD, "ping", [1], {}, "peaches.ping takes no values; these values do not fit"),
        (OP_CMD, "ping", [], {"x": 1}, "peaches.ping takes no values; these values do not fit"),
        (OP_CMD, "move", [], {}, "peaches.move takes (x, y=0.0); these values do not fit"),
        (OP_CMD, "move", [1, 2, 3], {}, "peaches.move takes (x, y=0.0); these values do not fit"),
        (OP_CMD, "move", [1], {"x": 1}, "peaches.move takes (x, y=0.0); these values do not fit"),
        (OP_CMD, "move", [1], {"method": 1}, "peaches: no operation takes a key 'method'"),
        (OP_SEND, "", [], {"x": 1}, "peaches takes (*commands); these values do not fit"),
    ],
)
def test_values_that_do_not_fit_are_303_and_nothing_is_done(
    recorder: Recorder, operation: int, specifier: str, args: list[Any], kwargs: dict[str, Any], text: str
) -> None:
    with pytest.raises(DriplinePayloadError) as caught:
        recorder.handle(operation, specifier, args, kwargs)
    assert str(caught.value).startswith(text)
    assert recorder._done == []


@pytest.mark.parametrize(
    ("operation", "specifier"), [(OP_CMD, "free"), (OP_CMD, "ping"), (OP_RUN, "")], ids=["free", "ping", "run"]
)
def test_a_key_self_is_303_or_passed_on(recorder: Recorder, operation: int, specifier: str) -> None:
    try:
        result = recorder.handle(operation, specifier, [], {"self": 1})
    except DriplinePayloadError:
        pass
    else:
        assert result[-1] == {"self": 1}


@pytest.mark.parametrize("operation", [OP_RUN, OP_SEND])
def test_run_and_send_take_no_specifier(recorder: Recorder, operation: int) -> None:
    with pytest.raises(DriplineMethodNotSupportedError, match="takes no specifier, and 'setpoint' is one"):
        recorder.handle(operation, "setpoint", [], {})


@pytest.mark.parametrize(
    ("operation", "args"), [(OP_GET, []), (OP_SET, [1]), (OP_RUN, []), (OP_RUN, [1, 2]), (OP_SEND, ["x"])]
)
def test_what_a_class_does_not_do_is_306(operation: int, args: list[Any]) -> None:
    with pytest.raises(DriplineMethodNotSupportedError, match="^requested method not supported by this endpoint$"):
        Endpoint(name="peaches").handle(operation, "", args, {})


def test_a_type_error_inside_a_handler_is_not_mistaken_for_values_that_do_not_fit(recorder: Recorder) -> None:
    with pytest.raises(TypeError, match="has no len"):
        recorder.handle(OP_CMD, "clumsy", [5], {})
    with pytest.raises(TypeError, match="has no len"):
        recorder.handle(OP_CMD, "clumsy", [], {})
    with pytest.raises(DriplinePayloadError):
        recorder.handle(OP_CMD, "clumsy", [5, 6], {})


@pytest.mark.parametrize("error", [TypeError("own"), ValueError("own"), DriplineHardwareError("own")])
@pytest.mark.parametrize(("operation", "args"), [(OP_GET, []), (OP_SET, [1]), (OP_RUN, []), (OP_SEND, [])])
def test_a_handlers_own_error_comes_through(operation: int, args: list[Any], error: Exception) -> None:
    class Broken(Endpoint):
        def on_get(self) -> Any:
            raise error

        def on_set(self, value: Any) -> Any:
            raise error

        def on_run(self, *args: Any, **kwargs: Any) -> Any:
            raise error

        def on_send(self, *commands: Any) -> Any:
            raise error

    with pytest.raises(type(error)) as caught:
        Broken(name="peaches").handle(operation, "", args, {})
    assert caught.value is error


def test_a_calibration_can_be_read_and_not_set(recorder: Recorder) -> None:
    with pytest.raises(DriplineMethodNotSupportedError, match=r"^peaches\.calibration can be read, not set$"):
        recorder.handle(OP_SET, "calibration", ["3*{}"], {})
    assert recorder.handle(OP_GET, "", [], {})["value_cal"] == 1.5


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"name": None}, "a name must be a text"),
        ({"name": "a.b"}, "is no legal name"),
        ({"name": "broadcast"}, "is a reserved name"),
        ({"name": "peaches", "get_on_set": "yes"}, "get_on_set must be true or false, not 'yes'"),
        ({"name": "peaches", "get_on_set": 1}, "get_on_set must be true or false, not 1"),
        ({"name": "peaches", "calibration": "{}e-3"}, "cannot be read"),
        ({"name": "peaches", "calibration": 5}, "calibration must be a text or a dict"),
        ({"name": "peaches", "calibration": "no_such({})"}, "unknown name 'no_such'"),
    ],
)
def test_a_bad_value_of_a_key_is_an_error_at_once(keys: dict[str, Any], text: str) -> None:
    with pytest.raises(DriplineValueError, match=text):
        Recorder(**keys)


def test_a_key_that_nobody_takes_is_an_error() -> None:
    with pytest.raises(TypeError):
        Endpoint(name="peaches", colour="red")


def test_a_new_endpoint_is_in_no_service() -> None:
    endpoint = Endpoint(name="peaches")
    assert (endpoint.name, endpoint.provider, endpoint.service) == ("peaches", None, None)
    assert (endpoint.calibration, endpoint.get_on_set) == (None, False)


def test_an_endpoint_finds_its_service_through_its_providers() -> None:
    service, provider, endpoint = StubService("s"), Provider(name="p"), Endpoint(name="e")
    provider.add_endpoint(endpoint)
    assert endpoint.service is None
    service.add_endpoint(provider)
    assert endpoint.service is provider.service is service
    assert endpoint.provider is provider


@pytest.mark.parametrize("name", ["name", "service", "calibration"])
def test_what_an_endpoint_is_cannot_be_assigned(name: str) -> None:
    with pytest.raises(AttributeError):
        setattr(Endpoint(name="peaches"), name, "plums")


@pytest.mark.parametrize("command", ["set_point", "pin", "on_get", "__init__", "_call", "start", "stop", "handle"])
def test_a_command_that_is_none_is_refused(recorder: Recorder, command: str) -> None:
    for args in ([], [1]):
        with pytest.raises(DriplineError) as caught:
            recorder.handle(OP_CMD, command, args, {})
        assert caught.value.retcode in (304, 306)


def test_unit_and_description_are_read_and_cannot_be_set() -> None:
    peaches = Recorder(name="peaches", unit="K", description="heats the cell")
    assert peaches.handle(OP_GET, "unit", [], {}) == peaches.describe()["unit"] == "K"
    assert peaches.handle(OP_GET, "description", [], {}) == peaches.describe()["description"] == "heats the cell"
    for name in ("unit", "description"):
        with pytest.raises(DriplineMethodNotSupportedError, match="can be read, not set"):
            peaches.handle(OP_SET, name, ["x"], {})


@pytest.mark.parametrize("name", ["unit", "description"])
@pytest.mark.parametrize("value", [5, True, ["K"], {}])
def test_unit_and_description_are_texts(name: str, value: Any) -> None:
    with pytest.raises(DriplineValueError, match=f"^{name} must be a text, not .*: put it in quotes$"):
        Recorder(name="peaches", **{name: value})

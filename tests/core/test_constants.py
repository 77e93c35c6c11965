"""The numbers that all programs of a mesh share."""

import pytest

from dragonfly.core import constants

NUMBERS = {
    "OP_SET": 0,
    "OP_GET": 1,
    "OP_CONFIG": 6,
    "OP_SEND": 7,
    "OP_RUN": 8,
    "OP_CMD": 9,
    "T_REPLY": 2,
    "T_REQUEST": 3,
    "T_ALERT": 4,
    "T_INFO": 5,
}


@pytest.mark.parametrize(("name", "number"), NUMBERS.items())
def test_the_number_is_the_protocols(name: str, number: int) -> None:
    assert getattr(constants, name) == number


def test_no_other_operation_and_type_exists_and_no_number_means_two_things() -> None:
    found = {name: value for name, value in vars(constants).items() if name.startswith(("OP_", "T_"))}
    assert found == NUMBERS
    assert len(set(found.values())) == len(found)


def test_each_operation_is_named_like_its_constant() -> None:
    named = {number: name[3:].lower() for name, number in NUMBERS.items() if name.startswith("OP_")}
    assert named == constants.OPERATION_NAMES


def test_the_texts_on_the_wire_are_the_originals() -> None:
    assert constants.EXCHANGES == ("requests", "alerts")
    assert constants.APP_ID == "dripline.core.Service"
    assert constants.PACKAGE == "dripline"
    assert constants.CONTENT_ENCODING == "application/json"
    assert constants.TIME_FORMAT == "%Y-%m-%dT%H:%M:%SZ"
    assert constants.COMPLETED_SILENTLY == "operation completed silently"
    assert constants.NOT_DELIVERABLE == "message not deliverable"

"""The keys of a service that say where its log goes."""

from typing import Any

import pytest

from dragonfly.core.exceptions import DriplineMethodNotSupportedError, DriplineValueError
from dragonfly.core.mesh_access import read
from dragonfly.core.service import Service


def test_by_default_the_log_stays_where_it_is() -> None:
    settings = Service(name="my_store").settings
    assert (settings.status_alerts, settings.slack_channel) == (False, "")


def test_both_keys_are_taken() -> None:
    settings = Service(name="my_store", status_alerts=True, slack_channel="#alarms").settings
    assert (settings.status_alerts, settings.slack_channel) == (True, "#alarms")


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"status_alerts": "yes"}, "status_alerts must be true or false, not 'yes'"),
        ({"slack_channel": 7}, "slack_channel must be a text, not 7"),
        # What YAML makes of an unquoted #alarms.
        ({"slack_channel": None}, 'put it in quotes ("#alarms")'),
    ],
)
def test_others_are_refused(keys: dict[str, Any], text: str) -> None:
    with pytest.raises(DriplineValueError) as caught:
        Service(name="my_store", **keys)
    assert text in str(caught.value)


def test_they_are_not_for_the_mesh() -> None:
    with pytest.raises(DriplineMethodNotSupportedError):
        read(Service(name="my_store"), "settings")

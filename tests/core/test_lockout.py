"""The form of a lockout key."""

from typing import Any

import pytest

from dragonfly.core.exceptions import DriplineInvalidKey
from dragonfly.core.lockout import normalised_key

KEY = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    "written",
    [
        KEY,
        KEY.upper(),
        "01234567-89ab-cdef-0123-456789abcdef",
        "01234567-89AB-CDEF-0123-456789ABCDEF",
        "-".join(KEY),
    ],
)
def test_case_and_hyphens_do_not_count(written: str) -> None:
    assert normalised_key(written) == KEY


@pytest.mark.parametrize(
    "written",
    [
        "",
        "abcd",
        KEY[:31],
        KEY + "0",
        KEY[:31] + "g",
        f"{KEY}\n",
        f" {KEY}",
        f"{{{KEY}}}",
        "\N{FULLWIDTH DIGIT ZERO}" * 32,
        "-" * 32,
        None,
        True,
        int(KEY, 16),
        0,
        [KEY],
        {"key": KEY},
        KEY.encode(),
        1.5,
    ],
)
def test_anything_else_is_308_and_is_not_repeated(written: Any) -> None:
    with pytest.raises(DriplineInvalidKey, match="32 hexadecimal digits") as caught:
        normalised_key(written)
    assert caught.value.retcode == 308
    assert KEY[:31] not in str(caught.value)

"""Lockout keys: who may act on a locked endpoint."""

import re

from dragonfly.core.exceptions import DriplineInvalidKey

_KEY = re.compile(r"[0-9a-f]{32}")


def normalised_key(key: object) -> str:
    """Return a lockout key as 32 lower-case hexadecimal digits; case and hyphens do not count.

    Raises:
        DriplineInvalidKey: it is something else.
    """
    if isinstance(key, str):
        digits = key.replace("-", "").lower()
        if _KEY.fullmatch(digits):
            return digits
    # The text does not repeat the key: what was mistyped may be most of a secret.
    raise DriplineInvalidKey("a lockout key is 32 hexadecimal digits, hyphens allowed; this one is not")

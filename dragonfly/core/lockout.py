"""Lockout: who may act on an endpoint.

Rules:
1. A lock has a key of 32 hexadecimal digits, which only the answer to `lock` ever tells: no text of an error repeats
   one. Who has it may act, renew the lock and release it; everybody else is refused (307), except to read.
2. Several endpoints, a provider's subtree, are locked all or none.
3. A lock with a lease ends by itself when the lease is over.
4. Whoever says `force` releases a lock without its key. To release what is not locked is no error (code 1).
5. What is no key at all is refused (308), whether anything is locked or not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import uuid4

from dragonfly.core.exceptions import (
    DriplineAccessDenied,
    DriplineInvalidKey,
    DriplineNoActionWarning,
    DriplineValueError,
    DriplineWarning,
)
from dragonfly.core.numbers import checked_number

_KEY = re.compile(r"[0-9a-f]{32}")

_SHORTEST_LEASE = 0.001  # s

# What a locked endpoint still does for everybody; unlock and lock look after the key themselves.
EXEMPT_COMMANDS = frozenset({"ping", "lock", "unlock", "lock_status", "describe", "set_condition"})


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


def checked_lease(lease: object) -> float | None:
    """Return the lease that a request gives, s; None is for ever.

    Raises:
        DriplineValueError: it is something else.
    """
    if lease is None:
        return None
    try:
        return checked_number("lease", lease, _SHORTEST_LEASE, "seconds")
    except DriplineValueError:
        # Who writes the key here, where its value would stand, must not find it in a log.
        text = f"lease must be a number of seconds of at least {_SHORTEST_LEASE:g}; {_KEYS_PLACE}"
        raise DriplineValueError(text) from None


def checked_force(force: object) -> bool:
    """Return the true or false that a request gives.

    Raises:
        DriplineValueError: it is something else.
    """
    if isinstance(force, bool):
        return force
    raise DriplineValueError(f"force must be true or false; {_KEYS_PLACE}")


_KEYS_PLACE = "a lockout key has its own place, --lockout-key on the command line"


class Origin(NamedTuple):
    """Who asks, and the key that the request carries.

    Args:
        user: name of the user.
        host: name of the computer.
        key: the lockout key as 32 hexadecimal digits; None where there is none.
        is_service: whether the service itself acts, as its config file says; no lock keeps it from that.
    """

    user: str = ""
    host: str = ""
    key: str | None = None
    is_service: bool = False


NOBODY = Origin()
THE_SERVICE = Origin(is_service=True)


class _Lock(NamedTuple):
    key: str
    since: str
    user: str
    host: str
    expires: float | None


class Lockout:
    """The lock of one endpoint.

    Args:
        name: of the endpoint.
    """

    __slots__ = ("_lock", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self._lock: _Lock | None = None

    def current(self, now: float) -> _Lock | None:
        """Return the lock, if there is one whose lease is not over; any thread.

        Args:
            now: monotonic time, s.
        """
        # What is over stays until the next lock: taking it away here could take away one that was put on just now.
        lock = self._lock
        return None if lock is None or (lock.expires is not None and now >= lock.expires) else lock

    def check(self, key: str | None, now: float) -> None:
        """Refuse who does not have the key.

        Raises:
            DriplineAccessDenied: there is a lock, and this is not its key.
        """
        lock = self.current(now)
        if lock is not None and lock.key != key:
            needed = "lockout_key required" if key is None else "another lockout_key is required"
            who = f"{lock.user or 'somebody'} on {lock.host or 'some host'}"
            raise DriplineAccessDenied(f"Endpoint {self.name} is locked; {needed} (locked by {who} since {lock.since})")

    def has_key_of(self, other: Lockout, now: float) -> bool:
        """Tell whether both are locked, and one key opens both."""
        lock, others = self.current(now), other.current(now)
        return lock is not None and others is not None and lock.key == others.key

    def status(self, now: float) -> dict[str, Any]:
        """Return whether it is locked, since when (UTC), by whom, and for how long still, s; never the key."""
        lock = self.current(now)
        if lock is None:
            return {"locked": False, "since": None, "user": None, "host": None, "lease": None}
        left = None if lock.expires is None else round(lock.expires - now, 3)
        return {"locked": True, "since": lock.since, "user": lock.user, "host": lock.host, "lease": left}

    def set(self, lock: _Lock | None) -> None:
        """Put a lock on, or take it away."""
        self._lock = lock


def lock_all(lockouts: Sequence[Lockout], origin: Origin, lease: float | None, now: float, since: str) -> str:
    """Lock several endpoints with one key, or none of them, and return the key.

    Args:
        lockouts: of the endpoints.
        origin: who locks, and the key to use; a new one is made where it has none.
        lease: time after which the lock ends by itself, s; None is never.
        now: monotonic time, s.
        since: the time that lock_status shows, UTC; a lock that is renewed keeps its own.

    Raises:
        DriplineAccessDenied: one of them is locked with another key.
    """
    for lockout in lockouts:
        lockout.check(origin.key, now)
    key = origin.key or uuid4().hex
    expires = None if lease is None else now + lease
    for lockout in lockouts:
        renewed = lockout.current(now)
        began = since if renewed is None else renewed.since
        lockout.set(_Lock(key, began, origin.user, origin.host, expires))
    return key


def unlock_all(lockouts: Sequence[Lockout], origin: Origin, force: bool, now: float) -> None:
    """Release what a key opens, or with `force` all.

    Raises:
        DriplineWarning: it is done; the text says so, as the original's did.
        DriplineNoActionWarning: nothing is locked.
        DriplineAccessDenied: the key, or its absence, opens nothing.
    """
    locked = {lockout: lock for lockout in lockouts if (lock := lockout.current(now)) is not None}
    name = lockouts[0].name
    if not locked:
        raise DriplineNoActionWarning(f"{name} is not locked")
    if origin.key is None and not force:
        raise DriplineAccessDenied(f"{name}: cannot unlock without valid lockout_key or force==True")
    left = [lockout for lockout, lock in locked.items() if not (force or lock.key == origin.key)]
    if len(left) == len(locked):
        left[0].check(origin.key, now)
    for lockout in locked.keys() - left:
        lockout.set(None)
    names = ", ".join(lockout.name for lockout in left)
    raise DriplineWarning(f"unlocked; locked with another key: {names}" if left else "unlocked")

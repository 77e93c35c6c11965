"""Endpoint: one readable or settable value."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any, ClassVar

from dragonfly.core.calibration import calibrated, compiled, functions_of
from dragonfly.core.calling import call
from dragonfly.core.description import attributes_of, commands_of, constant
from dragonfly.core.documentation import merge_documentation
from dragonfly.core.exceptions import DriplineError, exception_from_reply, is_remark, reply_fields
from dragonfly.core.limits import checked_limits
from dragonfly.core.lockout import NOBODY, Lockout, Origin, checked_force, checked_lease, lock_all, unlock_all
from dragonfly.core.mesh_service import MeshService
from dragonfly.core.message import utc_timestamp
from dragonfly.core.numbers import checked_flag, checked_text
from dragonfly.core.request_target import RequestTarget
from dragonfly.core.routing import check_name

# A lock on a subtree touches endpoints of several lanes, and takes all or none of them.
_LOCKING = threading.RLock()


class Endpoint(RequestTarget):
    """One readable or settable value of a service.

    A class of one's own overrides `on_get` and `on_set`, and whatever else its instrument can do. Values are returned,
    errors are raised: the service alone makes replies.

    Keyword Args:
        name (str): unique identifier across all dripline services (used to determine routing key)
        calibration (str||dict): string use to process raw get result (with .format(raw)) or a dict to use for the same purpose where raw must be a key
        get_on_set (bool): flag to toggle running 'on_get' after each 'on_set'

    Further Keyword Args:
        unit (str): unit of the value, as people read it
        description (str): what this endpoint is, in a sentence, as people read it
        limits (list): lowest and highest number that a set accepts, in the unit in which it is set; null leaves a side open

    Raises:
        DriplineValueError: a key's value is not acceptable.
    """  # noqa: E501

    not_for_the_mesh: ClassVar[frozenset[str]] = frozenset(
        {"name", "provider", "service", "calibrated", "start", "stop", "subtree"}
    )

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        merge_documentation(cls)

    def __init__(
        self,
        name: str,
        calibration: Any = None,
        get_on_set: bool = False,
        unit: str | None = None,
        description: str | None = None,
        limits: list[float | None] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._name = check_name(name)
        self._calibration = calibration
        self._calibrate = compiled(calibration, functions_of(type(self)))
        self._get_on_set = checked_flag("get_on_set", get_on_set)
        self._unit = checked_text("unit", unit)
        self._description = checked_text("description", description)
        self._limits = checked_limits(limits)
        self._lockout = Lockout(self._name)
        self._provider: Any = None

    @property
    def name(self) -> str:
        """Name of this endpoint: the first word of its routing keys."""
        return self._name

    @property
    def provider(self) -> Any:
        """The Provider that holds this endpoint; of a top-level endpoint, the service."""
        return self._provider

    @provider.setter
    def provider(self, provider: Any) -> None:
        self._provider = provider

    @property
    def service(self) -> MeshService | None:
        """The service that this endpoint is part of; None while it is in none."""
        service: MeshService | None = None if self._provider is None else self._provider.service
        return service

    @property
    def calibration(self) -> Any:
        """The calibration as it was configured; from the mesh it can be read, not set."""
        return self._calibration

    @property
    def get_on_set(self) -> bool:
        """Whether a set is answered with what a get returns afterwards."""
        return self._get_on_set

    @get_on_set.setter
    def get_on_set(self, value: bool) -> None:
        self._get_on_set = checked_flag("get_on_set", value)

    @property
    def unit(self) -> str | None:
        """Unit of the value."""
        return self._unit

    @property
    def description(self) -> str | None:
        """What this endpoint is."""
        return self._description

    @property
    def limits(self) -> Sequence[float | None] | None:
        """Lowest and highest number that a set accepts, in the unit in which it is set; None is open."""
        return self._limits

    @property
    def is_locked(self) -> bool:
        """Whether it takes requests other than reading only with a lockout key."""
        return self._lockout.current(self._now()) is not None

    def start(self) -> None:
        """Connect to the instrument; called once, before the service takes requests."""

    def stop(self) -> None:
        """Let go of the instrument; called once, after the last request."""

    def ping(self) -> None:
        """Answer, whatever the instrument does."""

    def lock(self, lease: float | None = None, *, origin: Origin = NOBODY) -> dict[str, str]:
        """Lock this endpoint and all below it: from now on they take a request only with the key in the answer.

        Args:
            lease: time after which the lock ends by itself, s; for ever by default.
            origin: who asks; the request itself says it.

        Raises:
            DriplineAccessDenied: one of them is locked with another key; none is locked then.
        """
        lease = checked_lease(lease)
        with _LOCKING:
            lockouts = [endpoint._lockout for endpoint in self.subtree()]
            key = lock_all(lockouts, origin, lease, self._now(), utc_timestamp())
        # Older clients look for it under its older name.
        return {"lockout-key": key, "key": key}

    def unlock(self, force: bool = False, *, origin: Origin = NOBODY) -> None:
        """Release this endpoint and all below it, as far as the key of the request opens them.

        Args:
            force: release them without a key.
            origin: who asks; the request itself says it.

        Raises:
            DriplineWarning: it is done.
            DriplineNoActionWarning: nothing is locked.
            DriplineAccessDenied: the key, or its absence, opens nothing.
        """
        force = checked_force(force)
        with _LOCKING:
            unlock_all([endpoint._lockout for endpoint in self.subtree()], origin, force, self._now())

    def lock_status(self) -> dict[str, Any]:
        """Return whether it is locked, since when (UTC), by whom, and how long the lease still lasts, s."""
        return self._lockout.status(self._now())

    def describe(self) -> dict[str, Any]:
        """Return what this endpoint is, and what it can be asked to do."""
        return self._described()

    def subtree(self) -> list[Endpoint]:
        """Return this endpoint and all below it, parents first."""
        return [self]

    def calibrated(self, raw: Any) -> dict[str, Any] | None:
        """Return the payload for a raw value; `calibrate` calls it for each get."""
        return calibrated(self.name, raw, self._calibrate)

    def _described(self) -> dict[str, Any]:
        # Its parents' descriptions call this: they come from another thread than that of its device, which what a
        # class of one's own does in `describe` may ask.
        service: Any = self.service
        cls: Any = type(self)
        return {
            "name": self.name,
            "class": cls.__name__,
            "provider": None if self.provider is None else self.provider.name,
            "service": None if service is None else service.name,
            "description": constant(self, "description", self._description),
            "unit": constant(self, "unit", self._unit),
            "limits": constant(self, "limits", self._limits),
            "get": cls.on_get is not Endpoint.on_get,
            "set": cls.on_set is not Endpoint.on_set,
            "attributes": attributes_of(self),
            "commands": commands_of(cls),
            "lock": self._lockout.status(self._now()),
            "logging": getattr(self, "schedule_status", None),
            "endpoints": [],
        }

    def _get(self) -> Any:
        value = self.on_get()
        # A class that forgot the decorator must not make a calibration in the YAML file vanish.
        return value if self._calibrate is None else self.calibrated(value)

    def _check_access(self, origin: Origin) -> None:
        if not origin.is_service:
            self._lockout.check(origin.key, self._now())

    def _now(self) -> float:
        service = self.service
        return time.monotonic() if service is None else service.monotonic()

    def _set(self, value: Any, kwargs: dict[str, Any]) -> Any:
        if self._limits is not None:
            self._limits.check(self.name, value)
        try:
            result = call(self.on_set, self.name, [value], kwargs)
        except DriplineError as err:
            if self._get_on_set and is_remark(err):  # it is set, with a remark
                err.result = self._get_after_set()
            raise
        return self._get_after_set() if self._get_on_set else result

    def _get_after_set(self) -> Any:
        try:
            return self._get()
        except DriplineError as err:
            if is_remark(err):
                raise
            # The same code means a refused value elsewhere: here it must be told that the value is set. The error is
            # made anew, since somebody's own class of it may be made in another way.
            retcode, text, payload = reply_fields(err)
            text = f"{self.name} is set, but reading it back failed: {text}"
            raise exception_from_reply(retcode, text, payload) from err

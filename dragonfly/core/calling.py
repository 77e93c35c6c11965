"""Calling a method with what a request brought."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dragonfly.core.exceptions import DriplinePayloadError


def call(method: Callable[..., Any], what: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Call a method; arguments that do not fit are the request's error, not the method's.

    Args:
        method: what to call.
        what: what the error's text calls it.
        args: positional arguments.
        kwargs: keyword arguments.

    Raises:
        DriplinePayloadError: the arguments do not fit.
    """
    try:
        return method(*args, **kwargs)
    except TypeError as err:
        # Only a failed call is looked at more closely: binding first would cost every request its time.
        if _fits(method, args, kwargs):
            raise
        parameters = parameters_of(method)
        shown = f"({', '.join(parameters)})" if parameters else "no values"
        raise DriplinePayloadError(f"{what} takes {shown}; these values do not fit") from err


def parameters_of(method: Callable[..., Any]) -> list[str]:
    """Return what a request may pass to a method, as `name` or `name=default`."""
    try:
        parameters = inspect.signature(method).parameters.values()
    except ValueError:  # some that are not written in Python do not say
        return ["..."]
    return [
        str(parameter.replace(annotation=inspect.Parameter.empty))
        for parameter in parameters
        if parameter.name not in _NOT_FROM_A_REQUEST
    ]


# Who asks is known from the message itself: no payload can say so.
_NOT_FROM_A_REQUEST = ("self", "origin")


def _fits(method: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    try:
        inspect.signature(method).bind(*args, **kwargs)
    except (TypeError, ValueError):  # the second: some that are not written in Python do not say what they take
        return False
    return True

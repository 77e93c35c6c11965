"""The keys that a class accepts in YAML: what `__init__` of it and of its ancestors takes by keyword."""

import functools
import inspect
from typing import Any, NamedTuple

from dragonfly.core.documentation import classes_with_keys

RESERVED = ("name", "module", "module_path", "endpoints")

_BY_KEYWORD = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class Keys(NamedTuple):
    """What a class accepts beside the reserved keys, its own keys first, and what it cannot do without."""

    accepted: tuple[str, ...]
    required: tuple[str, ...]


@functools.cache
def keys_of(cls: Any) -> Keys:
    """Merge the keyword parameters along the order of inheritance.

    Only the first `__init__` tells what is required: an ancestor's parameter may be given by the class itself.
    """
    accepted: dict[str, None] = {}
    required: tuple[str, ...] | None = None
    for ancestor in classes_with_keys(cls):
        init = vars(ancestor).get("__init__")
        if init is None:
            continue
        parameters = list(inspect.signature(init).parameters.values())[1:]
        own = [each for each in parameters if each.kind in _BY_KEYWORD and _is_public(each.name)]
        accepted.update(dict.fromkeys(each.name for each in own))
        if required is None:
            required = tuple(each.name for each in own if each.default is inspect.Parameter.empty)
    return Keys(tuple(accepted), required or ())


def _is_public(key: str) -> bool:
    return key not in RESERVED and not key.startswith("_")

"""Config files of services with many endpoints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

# As a laboratory has them: many instruments, each with some values.
KEYS_OF_A_STORE = 100


def key_names(prefix: str, count: int) -> list[str]:
    """Return the names of so many endpoints that hold a value."""
    return [f"{prefix}_{number}" for number in range(count)]


def write_config(path: Path, name: str, keys: list[str], of_key: dict[str, Any], of_service: dict[str, Any]) -> int:
    """Write the config file of a service and return how many names it answers to.

    Args:
        path: where; JSON is YAML, too.
        name: the service's.
        keys: the names of endpoints that hold a value, KEYS_OF_A_STORE in a store.
        of_key: what the file says of each of them.
        of_service: what it says of the service.
    """
    shares = [keys[first : first + KEYS_OF_A_STORE] for first in range(0, len(keys), KEYS_OF_A_STORE)]
    stores = [
        {
            "name": f"{name}_store_{number}",
            "module": "kv_store",
            "endpoints": [{"name": key, "module": "kv_store_key", **of_key} for key in share],
        }
        for number, share in enumerate(shares)
    ]
    path.write_text(json.dumps({"name": name, "module": "Service", "endpoints": stores, **of_service}))
    return 1 + len(stores) + len(keys)

"""Addresses to listen on: as people write them, and whether others than this machine can reach them."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach what listens on this address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name, which may mean anything
        return False


def shown_address(host: str, port: int) -> str:
    """Return HOST:PORT, with brackets where HOST has colons itself."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

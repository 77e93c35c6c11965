"""A server of aio-pika's RPC pattern, with JSON: python -m tests.bench.peer_aio_pika HOST:PORT METHOD."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import aio_pika
from aio_pika.patterns import JsonRPC


async def value() -> dict[str, Any]:
    """Return a value as our services do."""
    return {"value_raw": 0.75, "value_cal": 1.5}


async def serve(address: str, method: str) -> None:
    """Answer calls until the process is ended."""
    connection = await aio_pika.connect_robust(f"amqp://guest:guest@{address}/")
    async with connection:
        channel = await connection.channel()
        rpc = await JsonRPC.create(channel)
        await rpc.register(method, value, auto_delete=True)
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))

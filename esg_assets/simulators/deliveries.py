"""Ways to send a reply: the ordinary one, and those that faults ask for."""

import asyncio

from esg_assets.simulators.connection import abort_connection, reset_connection
from esg_assets.simulators.exchange import Delivery, Line, Reply

MIB = 1 << 20


async def send_reply(reply: Reply, line: Line) -> None:
    """The ordinary delivery."""
    await line.send({"type": "http.response.start", "status": reply.status, "headers": reply.headers})
    await line.send({"type": "http.response.body", "body": reply.body})


async def never(_reply: Reply, line: Line) -> None:
    """Say nothing until the client gives up."""
    try:
        await _gone(line)
    except asyncio.CancelledError:
        # The server is being stopped: uvicorn would send a 500 here that nobody ordered.
        abort_connection(line.scope)
        raise


async def reset(_reply: Reply, line: Line) -> None:
    """A TCP RST instead of an answer."""
    reset_connection(line.scope)
    await _gone(line)


async def cut(reply: Reply, line: Line) -> None:
    """Half the body, then the end of the connection."""
    await line.send({"type": "http.response.start", "status": reply.status, "headers": reply.headers})
    half = reply.body[: len(reply.body) // 2]
    # uvicorn closes the connection of an answer that is not complete.
    await line.send({"type": "http.response.body", "body": half, "more_body": True})


def after(seconds: float) -> Delivery:
    """The ordinary delivery, `seconds` later."""

    async def deliver(reply: Reply, line: Line) -> None:
        await asyncio.sleep(seconds)
        await send_reply(reply, line)

    return deliver


def slowly(seconds: float) -> Delivery:
    """Header at once, then the body byte by byte over `seconds`."""

    async def deliver(reply: Reply, line: Line) -> None:
        await line.send({"type": "http.response.start", "status": reply.status, "headers": reply.headers})
        for at in range(len(reply.body)):
            await asyncio.sleep(seconds / len(reply.body))
            await line.send(
                {"type": "http.response.body", "body": reply.body[at : at + 1], "more_body": True}
            )
        await line.send({"type": "http.response.body", "body": b""})

    return deliver


def padded(mib: int) -> Delivery:
    """The body and then `mib` MiB of spaces, which JSON allows; the headers must already say so."""

    async def deliver(reply: Reply, line: Line) -> None:
        await line.send({"type": "http.response.start", "status": reply.status, "headers": reply.headers})
        await line.send({"type": "http.response.body", "body": reply.body, "more_body": True})
        for _ in range(mib):
            await line.send({"type": "http.response.body", "body": b" " * MIB, "more_body": True})
        await line.send({"type": "http.response.body", "body": b""})

    return deliver


async def _gone(line: Line) -> None:
    while (await line.receive())["type"] != "http.disconnect":
        pass

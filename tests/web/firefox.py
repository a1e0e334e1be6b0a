"""Debian's Firefox by WebDriver BiDi, the protocol that it speaks without a driver (https://w3c.github.io/webdriver-bidi/).

Playwright's own Firefox is a build that no package registry holds, and what it asks of others, this one does not know.
"""

import asyncio
import json
import re
import subprocess
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp

LISTENING = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
PATIENCE = 120.0
"""Seconds that a slow machine may take for one command."""

Result = TypeVar("Result")


class Firefox:
    """A running Firefox with one tab, seen from outside any event loop."""

    def __init__(self, address: str) -> None:
        # Playwright's loop runs in the tests' own thread.
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._numbers = iter(range(1, 1 << 31))
        self._wait(self._connect(address))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            self._wait(self._disconnect())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def open(self, address: str) -> None:
        """Go to a page and wait until it is loaded."""
        self._wait(self._send("browsingContext.navigate", context=self._tab, url=address, wait="complete"))

    def evaluate(self, function: str, argument: Any = None) -> Any:
        """What a JavaScript function makes of `argument`, awaited. Raises RuntimeError where it throws."""
        found = self._wait(
            self._send(
                "script.callFunction",
                target={"context": self._tab},
                functionDeclaration=f"async (argument) => JSON.stringify(await ({function})(JSON.parse(argument)))",
                arguments=[{"type": "string", "value": json.dumps(argument)}],
                awaitPromise=True,
            )
        )
        if found["type"] == "exception":
            raise RuntimeError(found["exceptionDetails"]["text"])
        return json.loads(found["result"].get("value", "null"))

    def _wait(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(PATIENCE)

    async def _connect(self, address: str) -> None:
        self._http = aiohttp.ClientSession()
        self._socket = await self._http.ws_connect(f"{address}/session", max_msg_size=0)
        await self._send("session.new", capabilities={})
        self._tab = (await self._send("browsingContext.create", type="tab"))["context"]

    async def _disconnect(self) -> None:
        await self._send("browser.close")
        await self._socket.close()
        await self._http.close()

    async def _send(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        while (answer := await self._socket.receive_json()).get("id") != number:
            pass  # events, to which nothing here listens
        if answer["type"] == "error":
            raise RuntimeError(f"{method}: {answer['error']}: {answer['message']}")
        result: dict[str, Any] = answer["result"]
        return result


@contextmanager
def firefox_running(program: str, profile: Path) -> Iterator[Firefox]:
    """Start `program` without a window, on a profile of its own, until the block ends."""
    profile.mkdir()
    command = [program, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            found = next(filter(None, map(LISTENING.search, process.stderr)))
            # What it says from here on would fill the pipe.
            drain = threading.Thread(target=process.stderr.read)
            drain.start()
            with Firefox(found[1]) as firefox:
                yield firefox
            process.wait(PATIENCE)
            drain.join()
        finally:
            process.kill()

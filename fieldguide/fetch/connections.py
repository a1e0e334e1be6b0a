"""Where requests go out: directly or through the environment's proxy, and never to a private address unless allowed."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from fieldguide.credentials import mask_credentials
from fieldguide.errors import ParamsError
from fieldguide.fetch.addresses import PublicResolver, check_behind_proxy, check_literal, open_public_socket
from fieldguide.fetch.limits import DownloadParams
from fieldguide.fetch.target import SCHEMES, Target

HEADERS: Final = {
    "Accept": "image/*,*/*;q=0.5",
    # Identity: compression does not make a photo smaller, and a compressed bomb would fill our memory.
    "Accept-Encoding": "identity",
}


@dataclass(frozen=True)
class Connections:
    """Opens requests within one event loop. Make it with `open_connections`."""

    direct: aiohttp.ClientSession
    behind_proxy: aiohttp.ClientSession
    """Its connections lead to the operator's proxy, which may well have a private address."""
    proxies: Mapping[str, str]
    """As the environment names them: by scheme, or `all`."""
    allow_private: bool
    _checks: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    @asynccontextmanager
    async def get(self, target: Target, headers: Mapping[str, str]) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer to a GET of `target`; redirects are left to the caller.

        Raises OSError, of which PrivateAddressError is one, aiohttp.ClientError, and ParamsError on a proxy that cannot
        be used.
        """
        proxy = self._find_proxy(target)
        if not self.allow_private:
            await self._check(target.host, proxy)
        session = self.direct if proxy is None else self.behind_proxy
        async with session.get(target.url, allow_redirects=False, headers=headers, proxy=proxy) as response:
            yield response

    def _find_proxy(self, target: Target) -> URL | None:
        text = self.proxies.get(target.scheme) or self.proxies.get("all")
        # `no_proxy` names hosts with or without their ports.
        return read_proxy(text) if text and not proxy_bypass(f"{target.host}:{target.port}") else None

    async def _check(self, host: str, proxy: URL | None) -> None:
        if proxy is None:
            check_literal(host)
            return
        # Once for each host: where only a proxy leads out, looking up a name can take seconds.
        if host not in self._checks:
            self._checks[host] = asyncio.create_task(check_behind_proxy(host))
        await asyncio.shield(self._checks[host])


@asynccontextmanager
async def open_connections(params: DownloadParams) -> AsyncIterator[Connections]:
    """Connections in the running event loop."""
    guards = {} if params.allow_private else {"resolver": PublicResolver(), "socket_factory": open_public_socket}
    async with (
        _open_session(params, aiohttp.TCPConnector(limit=0, **guards)) as direct,  # type: ignore[arg-type]
        _open_session(params, aiohttp.TCPConnector(limit=0)) as behind_proxy,
    ):
        yield Connections(direct, behind_proxy, getproxies(), params.allow_private)


@lru_cache
def read_proxy(text: str) -> URL:
    """The proxy that an environment variable names. Raises ParamsError on one that is none of HTTP."""
    try:
        proxy = URL(text if "://" in text else f"http://{text}")
    except ValueError:
        proxy = URL()
    if proxy.scheme not in SCHEMES or not proxy.host:
        raise ParamsError(f"the environment names the proxy {mask_credentials(text)!r}; expected http://host:port")
    return proxy


def _open_session(params: DownloadParams, connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    # The limit on the whole attempt is the caller's, as it covers redirects too; so is that on requests at once.
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=params.connect_timeout_s, sock_read=params.read_timeout_s)
    headers = HEADERS | {"User-Agent": params.user_agent}
    # No jar: what one photo's server says must not change another's answer, which may come first or last.
    jar = aiohttp.DummyCookieJar()
    return aiohttp.ClientSession(connector=connector, timeout=timeout, headers=headers, cookie_jar=jar)

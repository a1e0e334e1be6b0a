"""Which network addresses a URL from a stranger may lead to.

A list of photos is hostile input: `http://169.254.169.254/` or a public name that resolves to 127.0.0.1 must not
lead to services that only this machine can reach. The check that counts is `open_public_socket`: it sees the address of
every connection before it is made, however the client came by it. The others say earlier what is wrong, and see what
it cannot: the names that a proxy will resolve.
"""

import asyncio
import ipaddress
import socket
from typing import Final

from aiohttp import AddrInfoType, ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
GLOBAL_UNICAST: Final = ipaddress.ip_network("2000::/3")
"""All of IPv6 that is given out to the internet."""
PROTOCOL_ASSIGNMENTS: Final = ipaddress.ip_network("192.0.0.0/24")
LOCAL_NAMES: Final = ("localhost", "local", "internal", "home.arpa", "lan", "localdomain", "intranet", "corp", "home")
"""Ends of names that public servers cannot have (RFC 6761, 6762, 8375, ICANN) or that networks commonly use inside."""
RESOLVE_S: Final = 5.0


class PrivateAddressError(OSError):
    """A host has only addresses that must not be asked. An OSError, as that is what the HTTP client passes on."""


def is_public(address: Address) -> bool:
    """Whether an address is of the public internet: not private, loopback, link-local, shared, reserved or multicast.

    An IPv6 address that contains an IPv4 one counts as that.
    """
    if isinstance(address, ipaddress.IPv6Address):
        embedded = address.ipv4_mapped or address.sixtofour
        if address in NAT64:
            embedded = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if embedded is not None:
            return is_public(embedded)
        if address not in GLOBAL_UNICAST:
            return False
    elif address in PROTOCOL_ASSIGNMENTS:
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def check_literal(host: str) -> None:
    """Raise PrivateAddressError if `host` is an IP address and not a public one. PublicResolver checks names."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return
    if not is_public(address):
        raise PrivateAddressError(f"{host} is not a public address")


def open_public_socket(info: AddrInfoType) -> socket.socket:
    """A socket for a connection to an address; raises PrivateAddressError if it is not a public one."""
    family, kind, protocol, _, address = info
    if not is_public(ipaddress.ip_address(str(address[0]).partition("%")[0])):
        raise PrivateAddressError("the connection would lead to an address that is not public")
    return socket.socket(family, kind, protocol)


async def check_behind_proxy(host: str) -> None:
    """Raise PrivateAddressError if a proxy that is asked for `host` might reach a private address.

    The proxy resolves names itself. Those that mean something here must mean something public; of one that is unknown
    here, as is usual where only a proxy leads out, the ending must be a public one.
    """
    check_literal(host)
    try:
        async with asyncio.timeout(RESOLVE_S):
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (TimeoutError, OSError):
        name = host.rstrip(".")
        if "." not in name or name.endswith(tuple(f".{ending}" for ending in LOCAL_NAMES)):
            raise PrivateAddressError(f"{host} is not a public name") from None
        return
    for *_, address in found:
        if not is_public(ipaddress.ip_address(str(address[0]).partition("%")[0])):
            raise PrivateAddressError(f"{host} leads to {address[0]}, which is not a public address")


class PublicResolver(AbstractResolver):
    """Resolves names to their public addresses only."""

    def __init__(self) -> None:
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The public addresses of `host`. Raises PrivateAddressError if all are private, OSError if there are none."""
        found = await self._resolver.resolve(host, port, family)
        public = [entry for entry in found if is_public(ipaddress.ip_address(entry["host"].partition("%")[0]))]
        if found and not public:
            raise PrivateAddressError(f"{host} leads to {found[0]['host']}, which is not a public address")
        return public

    async def close(self) -> None:
        """Release the resolver."""
        await self._resolver.close()

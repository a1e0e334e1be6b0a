"""Which network addresses a URL from a stranger may lead to.

A list of photos is hostile input: `http://169.254.169.254/` or a public name that resolves to 127.0.0.1 must not
lead to services that only this machine can reach. The check is made where the connection is made, on the resolved
address, so that a redirect or a second DNS answer cannot slip past it.
"""

import ipaddress
import socket

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

NAT64 = ipaddress.ip_network("64:ff9b::/96")


class PrivateAddressError(Exception):
    """A host has only addresses that must not be asked."""


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
    return address.is_global and not address.is_multicast and not address.is_reserved


def check_literal(host: str) -> None:
    """Raise PrivateAddressError if `host` is an IP address and not a public one. PublicResolver checks names."""
    try:
        address = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return
    if not is_public(address):
        raise PrivateAddressError(f"{host} is not a public address")


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

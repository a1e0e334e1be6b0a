import asyncio
import ipaddress
import socket
from contextlib import nullcontext

import pytest

from fieldguide.fetch.addresses import (
    PrivateAddressError,
    check_behind_proxy,
    check_literal,
    is_public,
    open_public_socket,
)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("127.0.0.1", False),
        ("127.8.8.8", False),
        ("0.0.0.0", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),  # cloud metadata
        ("100.64.0.1", False),  # carrier-grade NAT
        ("192.0.2.1", False),  # documentation
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("240.0.0.1", False),
        ("::1", False),
        ("::", False),
        ("fe80::1", False),
        ("fc00::1", False),
        ("ff02::1", False),
        ("fec0::1", False),  # site-local, of old
        ("64:ff9b:1::7f00:1", False),  # a network's own NAT64
        ("2001::7f00:1", False),  # Teredo
        ("2001:db8::1", False),
        ("192.0.0.8", False),
        ("198.18.0.1", False),
        ("::127.0.0.1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:93.184.216.34", True),
        ("2002:7f00:1::", False),  # 6to4 of 127.0.0.1
        ("64:ff9b::7f00:1", False),  # NAT64 of 127.0.0.1
        ("64:ff9b::5db8:d822", True),
    ],
)
def test_only_the_public_internet_is_public(address: str, public: bool) -> None:
    assert is_public(ipaddress.ip_address(address)) is public


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "fe80::1%eth0", "10.0.0.1"])
def test_a_literal_private_address_is_refused(host: str) -> None:
    with pytest.raises(PrivateAddressError):
        check_literal(host)


@pytest.mark.parametrize("host", ["93.184.216.34", "example.org", "localhost"])
def test_names_and_public_addresses_pass_the_literal_check(host: str) -> None:
    check_literal(host)


@pytest.mark.parametrize(
    ("family", "address"),
    [
        (socket.AF_INET, ("127.0.0.1", 80)),
        (socket.AF_INET, ("169.254.169.254", 80)),
        (socket.AF_INET6, ("::1", 80, 0, 0)),
        (socket.AF_INET6, ("fe80::1%lo", 80, 0, 1)),
        (socket.AF_INET6, ("::ffff:10.0.0.1", 80, 0, 0)),
    ],
)
def test_no_socket_is_opened_to_a_private_address(family: socket.AddressFamily, address: tuple[str, int]) -> None:
    with pytest.raises(PrivateAddressError):
        open_public_socket((family, socket.SOCK_STREAM, 6, "", address))


def test_a_socket_is_opened_to_a_public_address() -> None:
    info = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 80))
    with open_public_socket(info) as opened:
        assert opened.family == socket.AF_INET


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("93.184.216.34", True),
        ("photos.example.invalid", True),  # unknown here, as all names are where only a proxy leads out
        ("10.0.0.1", False),
        ("localhost", False),
        ("no-such-host", False),
        ("metadata.no-such-zone.internal", False),
        ("printer.no-such-zone.local.", False),
    ],
)
def test_what_a_proxy_may_be_asked_for(host: str, allowed: bool) -> None:
    with nullcontext() if allowed else pytest.raises(PrivateAddressError):
        asyncio.run(check_behind_proxy(host))

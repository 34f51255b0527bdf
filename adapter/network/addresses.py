"""Which IP addresses belong to the open internet. Pure.

`ipaddress.is_global` is not enough. Some versions accept embedded IPv4 addresses, multicast, site-local addresses and
the metadata services of two clouds (reference: `reliability.md` section 0.10). So an IPv6 address has to be in the
range of addresses that are assigned to hosts. An address that embeds IPv4 is refused, with one exception: NAT64, which
a machine without IPv4 needs for every IPv4 host. There the embedded address decides.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

#: The only part of IPv6 from which addresses of single hosts are handed out (RFC 4291 section 2.4, IANA's registry).
UNICAST_6: Final = IPv6Network("2000::/3")
#: The well-known prefix (RFC 6052). 64:ff9b:1::/48, for local use, lies outside of 2000::/3 and is refused.
NAT64: Final = IPv6Network("64:ff9b::/96")
#: IANA's special-purpose registries, multicast, and what clouds keep for themselves.
DENIED_4: Final = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",  # carriers' NAT; Alibaba's metadata
            "127.0.0.0/8",
            "168.63.129.16/32",  # Azure's host agent, a public number
            "169.254.0.0/16",  # link-local; metadata of most clouds
            "172.16.0.0/12",
            "192.0.0.0/24",  # Oracle's metadata
            "192.0.2.0/24",
            "192.88.99.0/24",  # relays of 6to4
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
        ),
    )
)
#: What lies in 2000::/3 and is no host: Teredo and other protocols, documentation, 6to4, the dissolved 6bone.
DENIED_6: Final = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3ffe::/16", "3fff::/20")))


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Say whether an address is a single host's on the open internet."""
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in network for network in DENIED_4)
    if address in NAT64:
        return is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
    return address.is_global and address in UNICAST_6 and not any(address in network for network in DENIED_6)

"""Ways to write an address so that a filter reads one thing and a client another; a generator of our own.

The kinds are those that incidents and public collections know (reference: `reliability.md` section 4): numbers in
other bases, missing parts, overflow, foreign digits and dots, escapes, IPv4 inside of IPv6, and tricks around the host.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from itertools import product


def words(text: str) -> tuple[str, ...]:
    """Return what white space separates."""
    return tuple(text.split())


#: Of each special network one address, metadata services among them.
TARGETS_4 = words("""
0.0.0.0 10.0.0.1 100.100.100.200 127.0.0.1 127.127.0.9 168.63.129.16 169.254.169.254 172.16.0.1 172.31.255.254
192.0.0.192 192.0.2.1 192.168.1.1 198.18.0.1 198.51.100.1 203.0.113.7 224.0.0.1 240.0.0.1 255.255.255.255
""")
TARGETS_6 = words("""
:: ::1 fe80::1 fc00::1 fd00:ec2::254 fec0::1 ff02::1 100::1 2001:db8::1 2001:2::1 2001:20::1 3ffe::1 3fff::1 5f00::1
""")
INNOCENT = "public.example"
#: `{h}` is the host that nobody may reach, `{i}` an innocent one.
TRICKS = words(r"""
https://{i}@{h}/ https://{h}@{i}/ https://{i}:443@{h}/ https://{h}:443@{i}/ https://{i}#@{h}/ https://{i}?@{h}/
https://{i}\@{h}/ https://{h}\@{i}/ https://{i}\{h}/ https://{h}\.{i}/ https:\\{h}/ https:/\{h}/
https://{i}%00.{h}/ https://{i}%2f@{h}/ https://{i}%23@{h}/ https://{i}%2523@{h}/ https://{i}%5c@{h}/
https://{i};@{h}/ https://{i}&@{h}#@{i}/ https://{i}:@{h}/ https://:@{h}/ https://@{h}/ https://@@{h}/
https:{h}/ https:/{h}/ https:///{h}/ https:////{h}/ //{h}/ ///{h}/ {h} {h}:443 https://{h}:443/ https://{h}:/
https://{h}:0443/ https://{h}:80/ https://{h}:22/ https://{h}:65979/ https://{h}:+443/ https://{h}:４４３/
https://{h}#{i} https://{h}?{i} https://{h}/{i} https://{h}#@{i}/ https://{h}?@{i}/ https://{h};{i}/
https://{h},{i}/ https://{i},{h}/ https://[{h}/ https://{h}]/ https://[{i}]@{h}/ https://{h}%2f.{i}/
https://{h}%09/ https://{i}／@{h}/ https://{i}＠{h}/ https://{h}？{i}/ https://{h}＃{i}/ httpſ://{h}/ HTTPS://{h}/
hTTp://{h}/ http://{h}/ ftp://{h}/ file://{h}/ gopher://{h}/ dict://{h}/ data://{h}/ jar:https://{h}/
url:https://{h}/ https://https://{h}/ https://{i}/https://{h}/ https://{i}/../{h} https://{i}/?url=https://{h}/
""")
BASES = ("{}", "0x{:x}", "0{:o}")
#: Digits and dots that Unicode folds into the plain ones.
FULL_WIDTH = str.maketrans("0123456789.", "０１２３４５６７８９．")
CIRCLED = str.maketrans("0123456789", "⓪①②③④⑤⑥⑦⑧⑨")
MATHEMATICAL = str.maketrans("0123456789", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗")
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


def hosts_4(target: str) -> Iterator[str]:
    """Yield spellings of an IPv4 address as a host."""
    number = int(IPv4Address(target))
    a, b, c, d = IPv4Address(target).packed
    for first, second, third, fourth in product(BASES, repeat=4):
        yield ".".join([first.format(a), second.format(b), third.format(c), fourth.format(d)])
    for base in (*BASES, "0X{:X}", "0000{:o}", "0x00000{:x}"):
        yield base.format(number)
        yield base.format(number + 2**32)
        yield f"{base.format(a)}.{base.format(number & 0xFFFFFF)}"
        yield f"{base.format(a)}.{base.format(b)}.{base.format(c << 8 | d)}"
        yield ".".join(base.format(part) for part in (a, b, c, d))
    yield ".".join(str(part + 256) for part in (a, b, c, d))
    yield ".".join(f"{part:03}" for part in (a, b, c, d))
    for digits in (FULL_WIDTH, CIRCLED, MATHEMATICAL, ARABIC):
        yield target.translate(digits)
        yield str(number).translate(digits)
    for dot in ("。", "．", "｡", "%2e", "%E3%80%82", ".."):
        yield target.replace(".", dot)
    yield "".join(f"%{ord(character):02x}" for character in target)
    yield f"{target[:-1]}%{ord(target[-1]):02X}"
    for wrong in (
        "{}.",
        "{}..",
        ".{}",
        "{}%00",
        "{}%0a",
        "{}%20",
        "{}\t",
        "\t{}",
        "{}\x00",
        "{} ",
        "{}-",
        "{}\u00ad",
        "\u200b{}",
    ):
        yield wrong.format(target)
    for name in ("{}.nip.example", "www.{}.nip.example", "{}.localdomain", "{}.", "http-{}"):
        yield name.format(target.replace(".", "-"))
    yield f"[{target}]"
    for inside in embeddings(number):
        yield from hosts_6(str(inside))


def embeddings(number: int) -> Iterator[IPv6Address]:
    """Yield the IPv6 addresses that lead to an IPv4 one."""
    yield IPv6Address(number)
    yield IPv6Address(0xFFFF << 32 | number)
    yield IPv6Address(0xFFFF << 48 | number)
    for prefix in ("64:ff9b::", "64:ff9b:1::", "64:ff9b:1:fffe::", "fe80::5efe:0:0", "2001:db8::5efe:0:0"):
        yield IPv6Address(int(IPv6Address(prefix)) | number)
    yield IPv6Address(0x2002 << 112 | number << 80 | 1)
    yield IPv6Address(0x20010000 << 96 | 0x4136E378 << 64 | 0x8000 << 48 | (number ^ 0xFFFFFFFF))
    yield IPv6Address(0x20010000 << 96 | number << 64 | 1)


def hosts_6(target: str) -> Iterator[str]:
    """Yield spellings of an IPv6 address as a host."""
    address = IPv6Address(target)
    yield f"[{address}]"
    yield f"[{address.exploded.upper()}]"
    yield f"[{address}%25lo]"
    yield f"[{address}%lo]"
    yield f"{address}"
    low = IPv4Address(int(address) & 0xFFFFFFFF)
    yield f"[{':'.join(address.exploded.split(':')[:6])}:{low}]"


def around(host: str) -> Iterator[str]:
    """Yield addresses that look as if they led to a host, or away from it."""
    for trick in TRICKS:
        yield trick.format(h=host, i=INNOCENT)
    for space in " \t\r\n\x00\x0b\x0c\x85\xa0\u2028\ufeff":
        yield f"{space}https://{host}/"
        yield f"ht{space}tps://{host}/"
        yield f"https://{space}{host}/"
        yield f"https://{INNOCENT}{space}@{host}/"
        yield f"https://{INNOCENT}{space}.{host}/"


def addresses() -> list[str]:
    """Return every spelling, once."""
    hosts = [*TARGETS_4, *(f"[{target}]" for target in TARGETS_6), "localhost", "LOCALHOST.", "metadata.internal"]
    found = [f"https://{host}/" for target in TARGETS_4 for host in hosts_4(target)]
    found += [f"https://{host}/" for target in TARGETS_6 for host in hosts_6(target)]
    found += [address for host in hosts for address in around(host)]
    return list(dict.fromkeys(found))


CORPUS = addresses()

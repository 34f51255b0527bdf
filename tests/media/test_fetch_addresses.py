"""Nobody reaches by the fetcher what is not public: every connection is written down and counted."""

import socket
from ipaddress import IPv4Address, ip_address

import pytest
from structlog.testing import capture_logs

from adapter.errors import InvalidRequest
from adapter.media.fetch import SafeFetcher
from adapter.network.addresses import is_public
from tests.media.internet import OK, PUBLIC, PUBLIC_6, Answers, Internet, redirect, says, server
from tests.media.spellings import CORPUS, INNOCENT, TARGETS_4, TARGETS_6, embeddings

#: The worst resolver: whatever it does not know leads inside.
NAMES: dict[str, list[Answers]] = {INNOCENT: [[PUBLIC]], "*": [["10.0.0.1"]]}
CODES = (301, 302, 303, 307, 308)


async def fetched(fetcher: SafeFetcher, url: str) -> bool:
    """Say whether an address was fetched; no failure but the one for clients is caught."""
    try:
        return await fetcher.fetch(url, limit=100) == b"picture"
    except InvalidRequest:
        return False


async def test_no_spelling_of_a_private_address_is_connected_to() -> None:
    """Thousands of forms; the few that are fetched name the public host in truth, and that is where they end."""
    internet = Internet(NAMES, [OK])
    fetcher = internet.fetcher()
    got = [url for url in CORPUS if await fetched(fetcher, url)]

    assert len(CORPUS) >= 8_000
    assert {host for host, _ in internet.connections} == {PUBLIC}
    assert len(internet.connections) == len(got)
    assert all(url.lower().startswith((f"https://{INNOCENT}", f"http://{INNOCENT}")) for url in got)


@pytest.mark.parametrize("turn", range(5))
async def test_no_redirect_leads_to_a_private_address(turn: int) -> None:
    """The first connection goes to the public host, a second one nowhere else. Every form behind one code."""
    for url in CORPUS[turn::5]:
        internet = Internet(NAMES, [redirect(url.encode(), CODES[turn]), OK])
        await fetched(internet.fetcher(), f"https://{INNOCENT}/")

        assert internet.connections in ([(PUBLIC, 443)], [(PUBLIC, 443)] * 2, [(PUBLIC, 443), (PUBLIC, 80)]), url


@pytest.mark.parametrize(
    "host",
    [
        "ｌｏｃａｌｈｏｓｔ",
        "local\u00adhost",
        "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
        "LOCALHOſT",
        "metadata。internal",
        "metadata．internal",
        "xn--nxasmq6b.internal",
    ],
)
async def test_an_international_spelling_of_a_private_name_is_checked_as_what_it_becomes(host: str) -> None:
    """It is looked up under the name that browsers make of it, and the answer decides."""
    internet = Internet(NAMES, [OK])

    assert not await fetched(internet.fetcher(), f"https://{host}/")
    assert internet.connections == []
    assert [each.isascii() for each in internet.lookups] == [True]


async def test_the_witness_sees_a_fetch_that_is_allowed() -> None:
    """Else the counts above would prove nothing."""
    internet = Internet(NAMES, [redirect(f"https://{INNOCENT}/b".encode(), 308), OK])

    assert await fetched(internet.fetcher(), f"https://{INNOCENT}/a")
    assert internet.connections == [(PUBLIC, 443), (PUBLIC, 443)]


async def test_a_name_that_changes_its_address_is_looked_up_once_a_hop() -> None:
    """First public, then private: the connection goes to the address that was checked; the next hop is checked anew."""
    names: dict[str, list[Answers]] = {"flip.example": [[PUBLIC], ["127.0.0.1"]]}
    once = Internet(names, [OK])
    assert await fetched(once.fetcher(), "https://flip.example/")
    assert (once.lookups, once.connections) == (["flip.example"], [(PUBLIC, 443)])

    twice = Internet(names, [redirect(b"/again"), OK])
    assert not await fetched(twice.fetcher(), "https://flip.example/")
    assert (twice.lookups, twice.connections) == (["flip.example"] * 2, [(PUBLIC, 443)])


@pytest.mark.parametrize(
    "private", ["10.0.0.1", "::1", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::a9fe:a9fe", "192.0.0.192"]
)
@pytest.mark.parametrize("public", [PUBLIC, PUBLIC_6])
@pytest.mark.parametrize("order", [1, -1])
async def test_one_private_address_among_public_ones_spoils_them(private: str, public: str, order: int) -> None:
    """Else it would be a matter of luck which one is taken."""
    internet = Internet({"mixed.example": [[public, private][::order]]}, [OK])

    assert not await fetched(internet.fetcher(), "https://mixed.example/")
    assert internet.connections == []


async def test_of_several_public_addresses_the_first_that_answers_is_taken() -> None:
    """IPv6 that leads nowhere is common. They share the time for a connection."""
    async with server(says(OK)) as port:
        internet = Internet({"two.example": [[PUBLIC_6, PUBLIC]]}, ways={PUBLIC: port})

        assert await fetched(internet.fetcher(), "http://two.example/")
    assert internet.connections == [(PUBLIC_6, 80), (PUBLIC, 80)]
    assert internet.patience == [2.5, 2.5]


async def test_a_public_address_needs_no_look_up() -> None:
    """Written as a number in its usual form; IPv6 in brackets, also in the Host header."""
    internet = Internet({}, [OK])

    assert await fetched(internet.fetcher(), f"https://{PUBLIC}/")
    assert await fetched(internet.fetcher(), f"https://[{PUBLIC_6}]/")
    assert internet.connections == [(PUBLIC, 443), (PUBLIC_6, 443)]
    assert internet.lookups == []
    assert b"host: [%b]\r\n" % PUBLIC_6.encode() in b"".join(internet.requests)


@pytest.mark.parametrize(
    "answer",
    [["10.0.0.1"], ["127.0.0.1"], [PUBLIC], [], socket.gaierror(-2, "unknown"), socket.gaierror(-3, "resolver down"),
     TimeoutError(), OSError(24, "too many open files"), UnicodeError("label too long")],
    ids=repr,
)  # fmt: skip
async def test_nobody_can_tell_a_private_host_from_one_that_does_not_exist(answer: Answers) -> None:
    """Private, silent, unknown, or our own resolver in trouble: the same words; the log knows better."""
    internet = Internet({"some.example": [answer]})
    with capture_logs() as logs, pytest.raises(InvalidRequest) as caught:
        await internet.fetcher().fetch("https://some.example/x?secret=1", limit=9)

    assert caught.value.code == "failed_to_download_image"
    assert caught.value.message == (
        "'some.example', or where it redirects to, cannot be reached: it does not answer, has no valid certificate, "
        "or is not public."
    )
    assert logs[0]["event"] == "media.not_fetched"
    assert "secret" not in str(logs)
    assert "not public" in logs[0]["because"] or answer not in (["10.0.0.1"], ["127.0.0.1"])


@pytest.mark.parametrize("target", [*TARGETS_4, *TARGETS_6])
def test_an_address_of_a_special_network_is_not_public(target: str) -> None:
    """Whatever the standard library says of it."""
    assert not is_public(ip_address(target))


@pytest.mark.parametrize("target", TARGETS_4)
def test_an_address_that_transports_a_private_one_is_not_public(target: str) -> None:
    """Mapped, compatible, 6to4, Teredo both ways, NAT64 with both prefixes."""
    assert [str(each) for each in embeddings(int(IPv4Address(target))) if is_public(each)] == []


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "192.0.1.1", "172.32.0.1", "100.128.0.1", "2a00:1450::1", "64:ff9b::808:808"]
)
def test_an_ordinary_address_is_public(address: str) -> None:
    """Neighbours of the special networks too; and all of IPv4 on a machine that has IPv6 only (NAT64)."""
    assert is_public(ip_address(address))

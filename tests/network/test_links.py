"""An address is read once, strictly, and rebuilt from its parts."""

import pytest

from adapter.errors import InvalidRequest, WrongConfiguration
from adapter.network.links import Link, Rules, read_link, redirected

STRICT = Rules.reading(http=False, trusted=[])


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("https://a.example", Link("https", "a.example", 443, "/")),
        ("HTTPS://A.Example:443/B?c=%2f&d#e", Link("https", "a.example", 443, "/B?c=%2f&d")),
        ("http://a.example.?q", Link("http", "a.example", 80, "/?q")),
        ("https://bücher.example/ü 1".replace(" ", "%20"), Link("https", "xn--bcher-kva.example", 443, "/%C3%BC%201")),
        (" https://a.example/b  ", Link("https", "a.example", 443, "/b")),
        ("https://a.example/my cat.png?q=a b", Link("https", "a.example", 443, "/my%20cat.png?q=a%20b")),
        ("https://a.example/my%20cat.png", Link("https", "a.example", 443, "/my%20cat.png")),
        ("https://a.example/a\u00a0b\u200b\u3000", Link("https", "a.example", 443, "/a%C2%A0b%E2%80%8B%E3%80%80")),
        (
            "https://a.example/\U0001f98a/猫?q=é",
            Link("https", "a.example", 443, "/%F0%9F%A6%8A/%E7%8C%AB?q=%C3%A9"),
        ),
        ("https://a.example/a'|`{}^?b'|`{}^", Link("https", "a.example", 443, "/a'|%60%7B%7D%5E?b%27|`{}^")),
        ("https://a.example/?100%", Link("https", "a.example", 443, "/?100%")),
        ("https://BÜCHER.example/", Link("https", "xn--bcher-kva.example", 443, "/")),
        ("https://faß.example/", Link("https", "xn--fa-hia.example", 443, "/")),
        ("https://例え。テスト/", Link("https", "xn--r8jz45g.xn--zckzah", 443, "/")),
        ("https://i❤.example:443/", Link("https", "xn--i-7iq.example", 443, "/")),
        ("https://ｅｘａｍｐｌｅ.example/", Link("https", "example.example", 443, "/")),
        ("https://XN--BCHER-KVA.example/", Link("https", "xn--bcher-kva.example", 443, "/")),
        ('https://my_bucket.example/"<>"', Link("https", "my_bucket.example", 443, "/%22%3C%3E%22")),
        ("https://1.2.3.4/", Link("https", "1.2.3.4", 443, "/")),
        ("https://[2A00:0::1]:8443/", Link("https", "2a00::1", 8443, "/")),
        ("https://a.example/@b:c/../d", Link("https", "a.example", 443, "/@b:c/../d")),
    ],
)
def test_an_address_becomes_its_parts(text: str, link: Link) -> None:
    """In one spelling; what a link was signed with stays as it is."""
    assert read_link(text) == link


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "begin with"),
        ("a.example", "begin with"),
        ("ftp://a.example/", "begin with"),
        ("httpſ://a.example/", "begin with"),
        ("https:///a", "no valid host"),
        ("https://user:pass@a.example/", "user name"),
        ("https://a.example:0/", "no valid port"),
        ("https://a.example:65536/", "no valid port"),
        ("https://a.example:/", "no valid port"),
        ("https://a..example/", "no valid host"),
        ("https://-a.example/", "no valid host"),
        (f"https://{'a' * 64}.example/", "no valid host"),
        (f"https://{'a.' * 127}example/", "no valid host"),
        ("https://2130706433/", "no valid host"),
        ("https://0x7f.1/", "no valid host"),
        ("https://127.1/", "no valid host"),
        ("https://0177.0.0.1/", "no valid host"),
        ("https://１２７.0.0.1/", "no valid host"),
        ("https://127。0。0。1/", "no valid host"),
        ("https://[fe80::1%25eth0]/", "no valid host"),
        ("https://a%2eexample/", "no valid host"),
        ("https://１２７.1/", "no valid host"),
        ("https://⓪x７f.1/", "no valid host"),
        ("https://a.１/", "no valid host"),
        ("https://a／b.example/", "no valid host"),
        ("https://a＠b.example/", "no valid host"),
        ("https://a：8.example/", "no valid host"),
        ("https://a％2e.example/", "no valid host"),
        ("https://\u00ad/", "no valid host"),
        ("https://ü..example/", "no valid host"),
        (f"https://{'ü' * 60}.example/", "no valid host"),
        ("https://a b.example/", "no valid host"),
        ("https://a.example /", "no valid host"),
        ("https://a.example: 443/", "no valid host"),
        ("https:// a.example/", "no valid host"),
        ("https://a.example/\n", "control characters"),
        ("https://a.example/a\tb", "control characters"),
        ("https://a.example/\x85", "control characters"),
        ("https://a.example\\b", "backslashes"),
        ("https://a.example/\ud800", "control characters"),
        ("https://a.example/" + "a" * 2048, "2048 characters"),
    ],
)
def test_what_parsers_could_read_differently_is_refused(text: str, says: str) -> None:
    """With one sentence about what is wrong."""
    with pytest.raises(InvalidRequest, match=says) as caught:
        read_link(text)

    assert caught.value.message.endswith(".")
    assert caught.value.message.count(". ") == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("http://a.example/", "https://"),
        ("https://a.example:8443/", "port than 443"),
        ("https://a.example:80/", "port than 443"),
    ],
)
def test_only_https_and_its_port_are_open_to_all(text: str, says: str) -> None:
    """A scheme and a port are as good a scanner as an address."""
    with pytest.raises(InvalidRequest, match=says):
        STRICT.admit(read_link(text))


def test_an_operator_may_open_http_and_name_servers() -> None:
    """The named ones with any port and scheme, in whatever spelling they were named."""
    rules = Rules.reading(http=True, trusted=["Images.Internal:8443", "[0::1]:80"])

    assert rules.admit(read_link("http://a.example/")).port == 80
    assert rules.admit(read_link("http://images.internal:8443/")).port == 8443
    assert rules.trusts(read_link("http://[::1]/"))
    with pytest.raises(InvalidRequest, match="port than 80"):
        rules.admit(read_link("http://images.internal:8444/"))


@pytest.mark.parametrize("entry", ["images.internal", "http://a:1", "a:0", "a:70000", "127.1:80", ":80", "a b:80"])
def test_a_trusted_server_has_to_be_host_and_port(entry: str) -> None:
    """It is named at the start, not when it fails to match."""
    with pytest.raises(WrongConfiguration, match=r"fetching\.trusted"):
        Rules.reading(http=False, trusted=[entry])


@pytest.mark.parametrize(
    ("location", "target"),
    [
        (b"https://b.example/c", Link("https", "b.example", 443, "/c")),
        (b"//b.example/c", Link("https", "b.example", 443, "/c")),
        (b"/c", Link("https", "a.example", 443, "/c")),
        (b"c?d", Link("https", "a.example", 443, "/x/c?d")),
        (b"../c", Link("https", "a.example", 443, "/c")),
        (b"?q", Link("https", "a.example", 443, "/x/y?q")),
        ("/ü".encode(), Link("https", "a.example", 443, "/%C3%BC")),
        (b"/my cat.png", Link("https", "a.example", 443, "/my%20cat.png")),
        ("https://bücher.example/ä b".encode(), Link("https", "xn--bcher-kva.example", 443, "/%C3%A4%20b")),
    ],
)
def test_a_redirect_is_read_against_where_it_came_from(location: bytes, target: Link) -> None:
    """As RFC 3986 section 5 says, and then as strictly as any address."""
    assert redirected(Link("https", "a.example", 443, "/x/y"), location) == target


@pytest.mark.parametrize(
    "location",
    [b"http://a.example/", b"\tjavascript:x", b"//[", b"\xff\xfe", b"https://u@b/", b"/a\tb", b"https:\\\\b"],
)
def test_a_redirect_to_less_than_https_or_to_no_address_is_refused(location: bytes) -> None:
    """From https never down to http."""
    with pytest.raises(InvalidRequest):
        redirected(Link("https", "a.example", 443, "/"), location)

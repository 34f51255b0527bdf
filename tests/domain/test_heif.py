"""What a file of a phone says of its pictures, and whether its AV1 data says the same."""

from collections.abc import Callable
from struct import pack

import pytest

from adapter.domain.av1 import check_pictures
from adapter.domain.heif import MalformedError, Meta, codec
from adapter.domain.media import MediaFormat, Pixels, probe, sniff
from tests.media.heif_files import Item, box, file_of, ftyp, full, ispe, obu, sequence
from tests.support import GOLDEN

PHOTO = (GOLDEN / "pictures" / "photo.heic").read_bytes()
TURNED = (GOLDEN / "pictures" / "turned.heic").read_bytes()
DELIMITER = obu(2, b"")
FRAME = obu(6, b"frame")


def still(width: int = 64, height: int = 48, *coded: bytes) -> Item:
    """Return a coded picture that says how large it is."""
    return Item(b"av01", b"".join(coded or (DELIMITER, sequence(width, height), FRAME)), [ispe(width, height)])


@pytest.mark.parametrize(
    ("head", "known"),
    [
        *((ftyp(brand), MediaFormat.HEIC) for brand in (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis")),
        *((ftyp(brand), MediaFormat.AVIF) for brand in (b"avif", b"avis")),
        *((ftyp(brand), MediaFormat.HEIF) for brand in (b"mif1", b"msf1")),
        (ftyp(b"mif1", b"heic"), MediaFormat.HEIF),
        (ftyp(b"mif1", b"miaf", b"avif"), MediaFormat.AVIF),
        (ftyp(b"msf1", b"avis"), MediaFormat.AVIF),
        *((ftyp(brand), MediaFormat.MP4) for brand in (b"isom", b"mp42", b"qt  ", b"M4V ")),
        (ftyp(b"isom", b"heic"), MediaFormat.MP4),
        (box(b"ftyp", b"mif1")[:12] + bytes(200) + b"avif", MediaFormat.HEIF),
    ],
)
def test_a_kind_is_told_by_the_brands(head: bytes, known: MediaFormat) -> None:
    """The major one first; the others where it says no more than that it is a picture."""
    assert sniff(head) is known
    assert bool(codec(head)) is known.is_picture


def test_a_photograph_of_a_phone_is_measured_as_it_is_seen() -> None:
    """Both were 96x64; one is noted to be turned (`irot`)."""
    assert probe(PHOTO) == (MediaFormat.HEIC, Pixels(96, 64))
    assert probe(TURNED) == (MediaFormat.HEIC, Pixels(64, 96))


def test_a_picture_is_measured_before_all_of_it_is_there() -> None:
    """What tells of it comes first."""
    cut = len(PHOTO) - 20
    assert probe(PHOTO[:cut]) == (MediaFormat.HEIC, Pixels(96, 64))


def test_the_files_own_picture_counts_and_no_thumbnail() -> None:
    """The one that `pitm` names."""
    assert Meta(file_of(still(16, 16), still(640, 480), primary=2)).size() == (640, 480)


@pytest.mark.parametrize(
    "data",
    [
        ftyp(),
        ftyp() + full(b"meta"),
        ftyp() + full(b"meta", full(b"pitm", b"\0\1")),
        file_of(still(), primary=7),
        file_of(Item(b"av01", b"x", [])),
        file_of(Item(b"av01", b"x", [ispe(0, 9)])),
        file_of(Item(b"av01", b"x", [ispe(9, 0)])),
        file_of(Item(b"av01", b"x", [ispe(9, 9), ispe(8, 8)])),
        file_of(Item(b"av01", b"x", [full(b"ispe", pack(">III", 9, 9, 9))])),
        file_of(Item(b"av01", b"x", [full(b"ispe", pack(">I", 9))])),
        file_of(still(), more=full(b"pitm", b"\0\1")),
        file_of(still(), more=b"\0\0\0\x07free"),
        file_of(still(), more=b"\0\0\1\0free"),
        file_of(still(), more=b"\0\0"),
        file_of(still(), more=box(b"free") * 5000),
        file_of(still()).replace(b"ipma\0\0\0\0\0\0\0\1", b"ipma\0\0\0\0\xff\xff\xff\xff"),
        file_of(still()).replace(b"\0\1\1\1", b"\0\1\1\x7f"),
    ],
)
def test_what_does_not_tell_one_size_is_no_picture(data: bytes) -> None:
    """Whatever is missing, twice there, or does not fit."""
    assert probe(data) is None


def test_a_file_whose_pictures_are_as_large_as_it_says_is_decoded() -> None:
    """With one picture, with an alpha plane, in tiles, and of an encoder that writes a whole header."""
    whole = "000" + "1" + "0" + "0" + "0" + "00000" + "0" * 12 + "01000" + "0"
    layered = "000" + "0" + "0" + "0" + "1" + "00000" + "0" * 12 + "00100" + "1" + "0110"
    tiles = Item(b"grid", pack(">BBBBHH", 0, 0, 1, 1, 128, 96), [ispe(128, 96)])
    wide = Item(b"grid", pack(">BBBBII", 0, 1, 1, 1, 128, 96), [ispe(128, 96)])

    check_pictures(file_of(still()), 64 * 48)
    check_pictures(file_of(still(), still()), 64 * 48)
    check_pictures(file_of(tiles, *[still()] * 4), 128 * 96)
    check_pictures(file_of(wide, *[still()] * 4), 128 * 96)
    for bits in (whole, layered):
        check_pictures(file_of(still(64, 48, sequence(64, 48, before=bits), FRAME)), 64 * 48)
    with pytest.raises(ValueError):  # noqa: PT011 - whatever is said
        check_pictures(file_of(still()), 64 * 48 - 1)


@pytest.mark.parametrize(
    "data",
    [
        file_of(still(64, 48, sequence(16_000, 16_000))),
        file_of(still(64, 48, sequence(64, 49))),
        file_of(still(64, 48, sequence(63, 48))),
        file_of(still(64, 48, sequence(64, 48), FRAME, sequence(16_000, 16_000))),
        file_of(still(), still(64, 48, sequence(16_000, 16_000))),
        file_of(still(65, 48)),
        file_of(still(), still(65, 48)),
        file_of(still(), Item(b"grid", pack(">BBBBHH", 0, 0, 1, 1, 9000, 9000), [ispe(16, 16)])),
        file_of(still(), Item(b"grid", b"\0\0\0\0", [ispe(16, 16)])),
        file_of(still(), Item(b"grid", b"", [ispe(16, 16)])),
        file_of(Item(b"hvc1", b"x", [ispe(16, 16)])),
        file_of(Item(b"av01", sequence(64, 48), [])),
        file_of(still(64, 48, FRAME)),
        file_of(still(64, 48, b"")),
        file_of(still(64, 48, b"\x0a")),
        file_of(still(64, 48, b"\x8a\x01\0")),
        file_of(still(64, 48, b"\x08" + sequence(64, 48)[3:])),
        file_of(still(64, 48, sequence(64, 48)[:-1])),
        file_of(still(64, 48, b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff")),
        file_of(still(64, 48, obu(1, b"\x18"))),
        file_of(still(64, 48, sequence(64, 48, before="000" + "1" + "0" + "1"))),
        file_of(still(64, 48, sequence(64, 48), DELIMITER * 20_000)),
        file_of(*[still(64, 48, sequence(64, 48), DELIMITER * 300)] * 40),
    ],
)
def test_a_picture_that_is_larger_inside_is_refused(data: bytes) -> None:
    """In any of its headers, in any item; and so is what cannot be measured."""
    with pytest.raises(MalformedError):
        check_pictures(data, 64 * 48)


def changed(change: Callable[[bytearray], None]) -> bytes:
    """Return a good file, changed."""
    data = bytearray(file_of(still(), still()))
    change(data)
    return bytes(data)


def _put(mark: bytes, offset: int, value: bytes) -> Callable[[bytearray], None]:
    def put(data: bytearray) -> None:
        at = data.index(mark) + offset
        data[at : at + len(value)] = value

    return put


@pytest.mark.parametrize(
    ("offset", "value"),
    [
        (4, b"\3"),  # an unknown version
        (10, b"\xff\xff"),  # more places than there are
        (18, b"\xff\xff\xff\xff"),  # outside of the file
        (22, b"\xff\xff\xff\xff"),
        (22, b"\0\0\0\0"),  # nothing, or all that follows
        (16, b"\0\0"),  # no place at all
        (16, b"\xff\xff"),
        (26, b"\0\1"),  # the first one twice
    ],
)
def test_items_lie_where_they_say_and_each_by_itself(offset: int, value: bytes) -> None:
    """Else a picture could be hidden from the check, or be looked at a thousand times."""
    with pytest.raises(MalformedError):
        check_pictures(changed(_put(b"iloc", offset, value)), 64 * 48)


def test_items_may_not_share_their_bytes() -> None:
    """A thousand items of the same megabytes would take minutes to look at."""
    data = file_of(still(64, 48, sequence(64, 48), obu(6, bytes(2000))), still())
    at = data.index(b"iloc")
    first = data[at + 18 : at + 26]
    with pytest.raises(MalformedError):
        check_pictures(data[: at + 32] + first + data[at + 40 :], 64 * 48)

"""Forms: what clients really send, and whatever else may arrive."""

import random
from collections.abc import Iterator, Sequence
from contextlib import suppress

import msgspec
import pytest

from adapter.errors import ClientFault, InvalidRequest, RequestTooLarge
from adapter.openai_api.read.form import HEADER_BYTES, MOST_PARTS, MOST_TEXT_BYTES, FormReader, Part
from adapter.openai_api.read.media import read_media_form
from adapter.openai_api.wire.images import ImagesRequest
from adapter.openai_api.wire.media import MediaRequest

KIND = "multipart/form-data; boundary=frontier"
FILE_BYTES = 4096

#: Bytes that a parser may stumble over: line ends, half boundaries, every value.
FILE = b"\r\n--front\r\n--frontie\r\r\n\n--\x00" + bytes(range(256)) + b"\r\n--"
#: What the official clients write, a file in front of its words.
SAMPLE = (
    b"--frontier\r\n"
    b'Content-Disposition: form-data; name="image[]"; filename="upload"\r\n'
    b"Content-Type: application/octet-stream\r\n\r\n" + FILE + b"\r\n"
    b"--frontier\r\n"
    b'Content-Disposition: form-data; name="prompt"\r\n\r\n'
    b"ein Fuchs, n\xc3\xa4chtens\r\n"
    b"--frontier\r\n"
    b'Content-Disposition: form-data; name="n"\r\n\r\n'
    b"2\r\n"
    b"--frontier--\r\n"
)
WHOLE = (Part("image[]", FILE, "upload"), Part("prompt", "ein Fuchs, nächtens".encode()), Part("n", b"2"))


def parts(*chunks: bytes, kind: str = KIND) -> tuple[Part, ...]:
    """Read a form that arrives in these pieces."""
    reader = FormReader(kind, most_file_bytes=FILE_BYTES)
    for chunk in chunks:
        reader.feed(chunk)
    return reader.finish()


def form(*fields: tuple[str, bytes]) -> bytes:
    """Write a form of fields without file names or content types."""
    written = (
        b'--frontier\r\ncontent-disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (n.encode(), d) for n, d in fields
    )
    return b"".join(written) + b"--frontier--\r\n"


def read(*fields: tuple[str, bytes]) -> ImagesRequest:
    """Read fields that are no files."""
    return read_media_form([Part(name, data) for name, data in fields], ImagesRequest)


def pieces(data: bytes, chance: random.Random) -> Iterator[bytes]:
    """Cut data as a network might."""
    while data:
        size = chance.choice([0, 1, 2, 3, 7, 50, 1000])
        yield data[:size]
        data = data[size:]


def test_a_form_is_read_in_its_order_and_to_the_byte() -> None:
    """The file holds everything that looks like the end of it."""
    assert parts(SAMPLE) == WHOLE


def test_a_form_fed_byte_by_byte_is_the_form_fed_whole() -> None:
    """Nothing depends on where the network cuts."""
    assert parts(*(SAMPLE[at : at + 1] for at in range(len(SAMPLE)))) == WHOLE


@pytest.mark.parametrize("seed", range(20))
def test_a_form_in_odd_pieces_is_the_form_fed_whole(seed: int) -> None:
    """Empty pieces included."""
    assert parts(*pieces(SAMPLE, random.Random(seed))) == WHOLE


def test_a_form_that_is_cut_is_refused_or_was_whole_already() -> None:
    """At every byte: the last two, a line end behind the last boundary, may be missing, and nothing else."""
    for length in range(len(SAMPLE) - 2):
        with pytest.raises(InvalidRequest, match="cannot be read"):
            parts(SAMPLE[:length])

    assert parts(SAMPLE[:-2]) == parts(SAMPLE[:-1]) == WHOLE


def tampered(chance: random.Random) -> bytes:
    """Return the sample with bytes changed, dropped, doubled or put in."""
    torn = bytearray(SAMPLE)
    for _ in range(chance.randint(1, 4)):
        at, length = chance.randrange(len(torn)), chance.randint(0, 30)
        doubled = torn[at : at + length] * 2
        odd = [b"", b"\r\n", b"--frontier", b"\n", b'"', b"[" * 40, chance.randbytes(length), doubled]
        torn[at : at + length] = chance.choice(odd)
    return bytes(torn)


@pytest.mark.parametrize("seed", range(20))
def test_a_form_that_was_tampered_with_is_read_or_refused(seed: int) -> None:
    """The worst that happens is a fault of the client's."""
    chance, ends = random.Random(seed), set[str]()
    for _ in range(50):
        try:
            read_media_form(parts(*pieces(tampered(chance), chance)), ImagesRequest)
            ends.add("read")
        except ClientFault:
            ends.add("refused")

    assert "refused" in ends


@pytest.mark.parametrize("seed", range(20))
def test_noise_is_read_or_refused(seed: int) -> None:
    """As a body and as a content type."""
    chance = random.Random(seed)
    kinds = [KIND, chance.randbytes(30).decode("latin-1"), f"multipart/form-data; boundary={chance.randbytes(9)!r}"]
    with pytest.raises(ClientFault):
        parts(*pieces(chance.randbytes(3000), chance), kind=chance.choice(kinds))


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        'multipart/form-data; boundary=""',
        "multipart/mixed; boundary=frontier",
        "application/x-www-form-urlencoded",
        "text/plain; boundary=frontier",
        "boundary=frontier",
        ";",
    ],
)
def test_what_is_no_form_is_refused_before_it_is_read(kind: str) -> None:
    """The error says what would be taken."""
    with pytest.raises(InvalidRequest, match=r"application/json or multipart/form-data with a boundary"):
        FormReader(kind, most_file_bytes=FILE_BYTES)


@pytest.mark.parametrize(
    "kind",
    [
        'multipart/form-data; boundary="frontier"',
        "Multipart/Form-Data; charset=utf-8; BOUNDARY=frontier",
        "multipart/form-data;boundary=frontier",
    ],
)
def test_a_content_type_may_be_spelt_in_many_ways(kind: str) -> None:
    """Upper case, quotes, further parameters."""
    assert parts(SAMPLE, kind=kind) == WHOLE


def test_what_stands_around_a_form_is_left_out() -> None:
    """A preamble before the first boundary, an epilogue behind the last one (RFC 2046 section 5.1.1)."""
    assert parts(b"To whom it may concern\r\n" + SAMPLE + b"\r\nYours", b"faithfully") == WHOLE


def test_an_empty_form_has_no_parts() -> None:
    """Its only boundary is the last one."""
    assert parts(b"--frontier--\r\n") == ()


@pytest.mark.parametrize(
    "head",
    [
        b'Content-Disposition: form-data; name="image"',
        b'Content-Disposition: form-data; name="image"; filename=""',
        b"Content-Disposition: form-data; name=image",
        b'CONTENT-DISPOSITION: Form-Data; NAME="image"; filename="C:\\fox.png"',
        b"Content-Disposition: form-data; name=\"image\"; filename*=UTF-8''f%C3%BCchse.png",
        'Content-Disposition: form-data; name="image"; filename="füchse.png"'.encode(),
        b'Content-Type: text/html; charset=latin-1\r\nContent-Disposition: form-data; name="image"',
        b'Content-Disposition: form-data;\r\n name="image"',
        b'Content-Disposition: form-data; name="image"\r\nContent-Length: 4\r\nX-Anything: goes',
    ],
)
def test_a_part_is_known_by_its_name_alone(head: bytes) -> None:
    """File names and content types are as clients please, or missing."""
    [part] = parts(b"--frontier\r\n" + head + b"\r\n\r\n\xff\xd8\xff!\r\n--frontier--")

    assert (part.name, part.data) == ("image", b"\xff\xd8\xff!")


@pytest.mark.parametrize(
    ("told", "name"),
    [
        (b"", ""),
        (b'; filename=""', ""),
        (b'; filename="C:\\fox.png"', "fox.png"),
        (b"; filename*=UTF-8''f%C3%BCchse.png", "füchse.png"),  # RFC 7578 section 4.2 forbids it; programs send it
        ('; filename="füchse.png"'.encode(), "füchse.png"),
    ],
)
def test_the_name_of_a_file_is_kept_for_whoever_wants_it(told: bytes, name: str) -> None:
    """Without the folders of its owner's machine."""
    head = b'content-disposition: form-data; name="file"' + told
    [part] = parts(b"--frontier\r\n" + head + b"\r\n\r\nx\r\n--frontier--")

    assert part.filename == name


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Type: image/png",
        b'Content-Disposition: attachment; name="image"',
        b"No colon",
        b'Content-Disposition: form-data; name="image"\r\nContent-Length: 5',
        b'Content-Disposition: form-data; name="image"\r\nContent-Length: many',
        b" a continuation of nothing",
    ],
)
def test_a_part_with_a_broken_head_is_refused(head: bytes) -> None:
    """No disposition, another one, a length that is not its length."""
    with pytest.raises(InvalidRequest, match="cannot be read"):
        parts(b"--frontier\r\n" + head + b"\r\n\r\nfour\r\n--frontier--\r\n")


def test_a_part_without_a_name_means_nothing() -> None:
    """It is read and no field of it."""
    assert parts(SAMPLE.replace(b'; name="n"', b""))[-1] == Part("", b"2")
    assert read(("", b"2"), ("prompt", b"a")).media == MediaRequest(prompt="a", names={"prompt": "prompt"})


def test_a_form_has_at_most_so_many_parts() -> None:
    """The most are taken, one more is too many."""
    fields = [("image", b"x")] * MOST_PARTS

    assert len(parts(form(*fields))) == MOST_PARTS
    with pytest.raises(RequestTooLarge, match="at most 64 fields"):
        parts(form(*fields, ("image", b"x")))


@pytest.mark.parametrize("step", [1, 100, 10_000])
def test_a_file_is_at_most_so_large(step: int) -> None:
    """It is refused as soon as it is larger, not once it has arrived."""
    fits = form(("image", b"x" * FILE_BYTES))
    grows = form(("image", b"x" * (FILE_BYTES + 1))).removesuffix(b"\r\n--frontier--\r\n")

    assert len(parts(*(fits[at : at + step] for at in range(0, len(fits), step)))[0].data) == FILE_BYTES
    with pytest.raises(RequestTooLarge, match=f"of {FILE_BYTES} bytes each"):
        parts(*(grows[at : at + step] for at in range(0, len(grows), step)))


def test_a_file_that_announces_too_much_is_refused_at_once() -> None:
    """Some clients write the length of each part."""
    head = b'--frontier\r\nContent-Disposition: form-data; name="image"\r\nContent-Length: %d\r\n' % (FILE_BYTES + 1)

    with pytest.raises(RequestTooLarge):
        FormReader(KIND, most_file_bytes=FILE_BYTES).feed(head)


@pytest.mark.parametrize(
    "head",
    [
        b"X-Long: " + b"x" * HEADER_BYTES,
        b"X-Folded: x\r\n" + b" y\r\n" * HEADER_BYTES,
        b"\r\n".join(b"X-Many-%d: x" % number for number in range(100)),
    ],
)
@pytest.mark.parametrize("end", [b"", b"\r\n\r\n"])
def test_heads_of_parts_are_short(head: bytes, end: bytes) -> None:
    """A line that does not end, one that is folded for ever, too many of them."""
    with pytest.raises(RequestTooLarge):
        parts(b'--frontier\r\nContent-Disposition: form-data; name="image"\r\n' + head + end)


def test_numbers_and_booleans_are_texts() -> None:
    """As every client writes them."""
    body = read(("n", b"2"), ("stream", b"true"), ("seed", b"7"), ("output_compression", b"80"), ("user", b"12"))

    assert msgspec.structs.replace(body.media, names={}) == MediaRequest(n=2, seed=7, output_compression=80)
    assert (body.stream, body.user) == (True, "12")


@pytest.mark.parametrize(
    ("text", "value"), [(b"true", True), (b"True", True), (b"1", True), (b"false", False), (b"False", False)]
)
def test_a_boolean_may_be_pythons_or_jsons(text: bytes, value: bool) -> None:
    """`str(True)` is what hand-written clients send."""
    assert read(("stream", text)).stream is value


@pytest.mark.parametrize("word", ["null", "true", "7", " ", "1e3", "Ünïcödé 🦊", "a\r\nb", "\x00"])
def test_a_text_stays_a_text(word: str) -> None:
    """A prompt may look like anything."""
    assert read(("prompt", word.encode())).media.prompt == word


@pytest.mark.parametrize(("name", "text"), [("n", b"two"), ("n", b" "), ("n", b"1.5"), ("stream", b"perhaps")])
def test_a_text_that_is_no_such_value_is_refused_by_name(name: str, text: bytes) -> None:
    """As in JSON."""
    with pytest.raises(InvalidRequest, match=f"'{name}' has to be ") as caught:
        read((name, text))

    assert (caught.value.param, caught.value.code) == (name, "invalid_type")


def test_brackets_make_objects_and_lists() -> None:
    """As the official clients write nested fields."""
    body = read(("image_config[aspect_ratio]", b"16:9"), ("image_config[image_size]", b"2K"))

    assert (body.media.aspect_ratio, body.media.resolution) == ("16:9", "2K")
    assert read(("imageConfig[aspectRatio]", b"4:3")).media.aspect_ratio == "4:3"
    assert read(("svg[reasoning][effort]", b"low"), ("svg[tags][]", b"a"), ("svg[tags][]", b"b")).media.svg == {
        "reasoning": {"effort": "low"},
        "tags": ["a", "b"],
    }


def test_the_last_of_repeated_texts_counts() -> None:
    """As in JSON."""
    assert read(("size", b"1K"), ("size", b"2K")).media.size == "2K"


@pytest.mark.parametrize(
    "names",
    [
        ("svg[a]", "svg"),
        ("svg", "svg[a]"),
        ("svg[]", "svg"),
        ("svg", "svg[]"),
        ("svg[]", "svg[a]"),
        ("svg[a]", "svg[]"),
        ("svg[a][b]", "svg[a]"),
        ("svg[a]", "svg[a][b]"),
        ("svg[a][]", "svg[a][b]"),
    ],
)
def test_brackets_that_contradict_each_other_are_refused(names: Sequence[str]) -> None:
    """A field is a text, a list or an object, whichever comes first."""
    with pytest.raises(InvalidRequest, match="contradicts an earlier one") as caught:
        read(*((name, b"x") for name in names))

    assert caught.value.param == names[-1]


@pytest.mark.parametrize(
    "name", ["[", "]", "[]", "[][]", "a[", "a]b", "[a]", "a[][b]", "][", "svg][", "🦊", "x" * 8000, "a" + "[b]" * 16]
)
def test_odd_names_mean_nothing(name: str) -> None:
    """They are nobody's field, however deep."""
    assert read((name, b"x"), ("prompt", b"a")).media.prompt == "a"


@pytest.mark.parametrize("name", ["n", "anything"])
def test_a_name_that_is_too_deep_is_told_the_limit(name: str) -> None:
    """Whether the field is known or not. The error does not repeat all of the name."""
    with pytest.raises(InvalidRequest, match="nested deeper than 16 levels") as caught:
        read((name + "[a]" * 17, b"x"))

    assert (len(caught.value.message) < 200, caught.value.code) == (True, "invalid_form")


def test_json_in_a_field_has_the_limits_of_a_body() -> None:
    """Some clients write objects into a form as JSON."""
    with pytest.raises(RequestTooLarge, match="more than 100000 values"):
        read(("tools", b"[" + b",".join([b"{}"] * 100_001) + b"]"))
    with pytest.raises(InvalidRequest, match="nested deeper than 100 levels"):
        read(("image_config", b'{"a":' * 101 + b"1" + b"}" * 101))


def test_a_text_that_is_not_utf8_is_refused_by_name() -> None:
    """A picture under a name that is no picture's is told where to go."""
    with pytest.raises(InvalidRequest, match=r"'photo' is not UTF-8 and no field for a picture") as caught:
        read(("photo", b"\x89PNG"))

    assert caught.value.param == "photo"


def test_a_text_is_at_most_so_long() -> None:
    """A file may be larger; what is no file may not."""
    assert read(("prompt", b"x" * MOST_TEXT_BYTES)).media.prompt == "x" * MOST_TEXT_BYTES
    with pytest.raises(RequestTooLarge, match="'prompt' is longer than"):
        read(("prompt", b"x" * (MOST_TEXT_BYTES + 1)))


@pytest.mark.parametrize(
    ("disposition", "name", "filename"),
    [
        (b'name="image"; filename="f\xc3\xbcchs.png"', "image", "f\xfcchs.png"),
        (b'name="image"; filename="f\xfcchs.png"', "image", "f\xfcchs.png"),
        (b'name="image"; filename="\xff\xfe.png"', "image", "\xff\xfe.png"),
        (b'name="image"; filename="\xe4\xb8\xad \xff"', "image", "\xe4\xb8\xad \xff"),
        (b"name=\"image\"; filename*=UTF-8''f%C3%BCchs.png", "image", "f\xfcchs.png"),
        (b'name="image"; filename="x"; filename*=utf-8\'de\'f%C3%BC', "image", "f\xfc"),
        (b'name="image"; filename="x"; filename*=iso-8859-1\'\'f%FC', "image", "f\xfc"),
        (b'name="image"; filename="x"; filename*=UTF-8\'\'%FF', "image", "x"),
        (b'name="image"; filename="x"; filename*=klingon\'\'a', "image", "x"),
        (b'name="image"; filename="a\\"b;c=d.png"', "image", 'a"b;c=d.png'),
        (b'name="image"; filename="a\x00\x1f\x7f\tb"', "image", "a\x00\x1f\x7f\tb"),
        (b'name="image"; filename="' + b"x" * 4000 + b'"', "image", "x" * 4000),
        (b'name="image"; filename="unclosed', "image", ""),
        (b"name=image; filename=fox.png", "image", "fox.png"),
        (b'name="f\xfc"', "f\xfc", ""),
        (b'name="f\xc3\xbc"', "f\xfc", ""),
        (b"filename=x", "", "x"),
    ],
)
def test_names_are_taken_in_any_bytes(disposition: bytes, name: str, filename: str) -> None:
    """UTF-8, Latin-1, neither, quoted, extended: the picture is what counts."""
    body = b"--B\r\nContent-Disposition: form-data; %b\r\n\r\ndata\r\n--B--\r\n" % disposition

    assert fed(body) == (Part(name, b"data", filename),)


@pytest.mark.parametrize(
    "headers",
    [
        b'Content-Type: image/png; name="f\xfc.png"\r\n',
        b"Content-Type: \xff\xfe\r\n",
        b"Content-Type:\r\n",
        b"Content-Type: text/plain; charset=klingon\r\nContent-Transfer-Encoding: binary\r\n",
        b"".join(b"X-%d: \xfc\r\n" % number for number in range(20)),
    ],
)
def test_other_headers_of_a_part_are_nobodys_business(headers: bytes) -> None:
    """Whatever bytes are in them, and however many there are."""
    body = b'--B\r\nContent-Disposition: form-data; name="a"\r\n%b\r\ndata\r\n--B--\r\n' % headers

    assert fed(body) == (Part("a", b"data"),)


def test_no_bytes_at_all_break_the_reader() -> None:
    """Ten thousand bodies with random bytes in their heads are read, or refused in words."""
    chance, read = random.Random(7), 0
    for _ in range(10_000):
        noise = bytes(chance.choice(b"\x00\t \"';=*%\\\r\n:-B\xc3\xbc\xff\x80a") for _ in range(chance.randrange(30)))
        body = b'--B\r\nContent-Disposition: form-data; name="a"; filename="%b"\r\n\r\nx\r\n--B--\r\n' % noise
        with suppress(InvalidRequest, RequestTooLarge):
            read += len(fed(body))
        with suppress(InvalidRequest, RequestTooLarge):
            FormReader(f"multipart/form-data; {noise.decode('latin-1')}; boundary=B", most_file_bytes=10)

    assert 0 < read < 10_000


def fed(body: bytes) -> tuple[Part, ...]:
    """Read a form whose boundary is B."""
    form = FormReader("multipart/form-data; boundary=B", most_file_bytes=1000)
    form.feed(body)
    return form.finish()

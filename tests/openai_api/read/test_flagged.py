"""What flags make of a whole chat request."""

import pytest

from adapter.domain.media import Frame, Ratio, Resolution
from adapter.domain.orders import ImageOrder, LinkSource, StoredSource, VideoDraft, VideoInput
from adapter.errors import InvalidRequest
from adapter.openai_api.read.chat import chat_image_order, chat_video_draft
from adapter.openai_api.read.conversation import WAY_OUT
from adapter.openai_api.read.media import read_tree
from adapter.openai_api.wire.chat import ChatRequest
from tests.support import context

TERMS = context(longest_prompt=100)
HERE = "http://here:8000/media"
#: A conversation's messages, as JSON has them.
Turns = list[dict[str, object]]


def picture(url: str) -> dict[str, object]:
    """Return an attached picture."""
    return {"type": "image_url", "image_url": {"url": url}}


def said(text: str, *urls: str) -> Turns:
    """Return one turn with pictures, the words first as most programs have it."""
    return [{"role": "user", "content": [{"type": "text", "text": text}, *map(picture, urls)]}]


def video(messages: Turns, **fields: object) -> VideoDraft:
    """Read a request for a video."""
    body = {"model": "veo-3.1-fast", "messages": messages, **fields}
    return chat_video_draft(read_tree(body, ChatRequest), TERMS)


def pictures(messages: Turns, **fields: object) -> ImageOrder:
    """Read a request for pictures."""
    body = {"model": "gemini-3.1-flash-image", "messages": messages, **fields}
    return chat_image_order(read_tree(body, ChatRequest), TERMS)


def test_flags_shape_a_video_and_are_not_drawn() -> None:
    """In a plain text and in a part, the last one with words in it."""
    words = "waves --ar 9:16 --seed 7 --seconds 8 --n 1"
    plain: Turns = [{"role": "user", "content": words}]
    for messages in (plain, said(words)):
        order = video(messages).order

        assert (order.prompt, order.ratio, order.seed) == ("waves", Ratio.PORTRAIT, 7)


def test_flags_shape_pictures() -> None:
    """Count, frame, seed."""
    order = pictures(said("a fox --ar 16:9 --size 2K --seed 7 --n 3"))

    assert order.prompt == "a fox"
    assert (order.frame, order.n, order.seed) == (Frame(Ratio.LANDSCAPE, Resolution.TWO), 3, 7)


@pytest.mark.parametrize(
    ("fields", "flags", "frame"),
    [
        ({"size": "1024x1024"}, "--ar 9:16", (Ratio.PORTRAIT, None)),
        ({"size": "2K"}, "--ar 9:16", (Ratio.PORTRAIT, Resolution.TWO)),
        ({"size": "1:1"}, "--ar 9:16", (Ratio.PORTRAIT, None)),
        ({"aspect_ratio": "1:1"}, "--ar 9:16", (Ratio.PORTRAIT, None)),
        (
            {"image_config": {"aspect_ratio": "1:1", "image_size": "4K"}},
            "--ar 9:16",
            (Ratio.PORTRAIT, Resolution.FOUR),
        ),
        ({"aspect_ratio": "16:9"}, "--size 2K", (Ratio.LANDSCAPE, Resolution.TWO)),
        ({"size": "16:9"}, "--size 2K", (Ratio.LANDSCAPE, Resolution.TWO)),
        ({"size": "4K", "aspect_ratio": "1:1"}, "--size 2K --ar 9:16", (Ratio.PORTRAIT, Resolution.TWO)),
        ({"size": "1024x1024"}, "--size auto", (None, None)),
        ({"imageConfig": {"aspectRatio": "1:1", "imageSize": "4K"}}, "--size 9:16", (Ratio.PORTRAIT, None)),
        ({"aspect_ratio": "9:16", "quality": "hd"}, "--size 512x512", (Ratio.SQUARE, Resolution.HALF)),
        ({"model": "gemini-3.1-flash-image-portrait"}, "--ar 16:9", (Ratio.LANDSCAPE, None)),
        ({"model": "gemini-3.1-flash-image-portrait"}, "--size 2K", (Ratio.PORTRAIT, Resolution.TWO)),
    ],
)
def test_a_flag_is_stronger_than_fields_that_speak_of_the_same(
    fields: dict[str, object], flags: str, frame: tuple[Ratio | None, Resolution | None]
) -> None:
    """A program's fields are mostly its defaults. What the flag does not speak of stays."""
    assert pictures(said(f"a fox {flags}"), **fields).frame == Frame(*frame)


def test_numbers_of_flags_are_stronger_than_those_of_fields() -> None:
    """Even where the field could not be done."""
    order = pictures(said("a fox --n 2 --seed 7"), n=1, seed=-1)
    assert (order.n, order.seed) == (2, 7)
    assert video(said("waves --seconds 8 --n 1"), seconds=4, n=3).order.seconds == 8


@pytest.mark.parametrize(
    ("flags", "kind", "sources"),
    [
        ("", VideoInput.FRAMES, "12"),
        ("--first 1 --last 2", VideoInput.FRAMES, "12"),
        ("--first 2 --last 1", VideoInput.FRAMES, "21"),
        ("--last 1 --first 2", VideoInput.FRAMES, "21"),
        ("--ref 1 2", VideoInput.REFERENCES, "12"),
        ("--ref 2,1", VideoInput.REFERENCES, "21"),
        ("--ref 1 2 https://a.example/3.png", VideoInput.REFERENCES, "123"),
    ],
)
def test_flags_say_what_attached_pictures_are(flags: str, kind: VideoInput, sources: str) -> None:
    """By their numbers, from 1, and beside addresses."""
    read = video(said(f"waves {flags}", "https://a.example/1.png", "https://a.example/2.png"))

    assert (read.order.input, read.order.prompt) == (kind, "waves")
    assert read.sources == tuple(LinkSource(f"https://a.example/{number}.png", "messages") for number in sources)


def test_a_flag_may_bring_a_picture_of_its_own() -> None:
    """By an address, or by a link of ours, which is then not taken for one more picture."""
    read = video([{"role": "user", "content": f"waves --first {HERE}/a.png --last https://a.example/b.png"}])

    assert read.sources == (StoredSource("a.png", "messages"), LinkSource("https://a.example/b.png", "messages"))
    assert read.order.prompt == "waves"
    one = video(
        [{"role": "user", "content": "waves --first 1 --last 1"}, *said("waves --first 1 --last 1", "https://a")]
    )
    assert one.sources == (LinkSource("https://a", "messages"),) * 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("waves --first 3", "A flag names picture 3; there are 2"),
        ("waves --first 1", "Picture 2 is attached and no flag names it"),
        ("waves --ref https://a.example/c.png", "Picture 1 is attached and no flag names it"),
        ("waves --last 1 --ref 2", "with or without one last_frame, or only reference_image"),
        ("waves --n 2", "'--n' has to be 1"),
        ("waves --seconds 12", "videos of 8 seconds only"),
        ("waves --ar 1:1", "no ratio '1:1' for a video from a first and a last frame"),
        ("waves --size 4K", "has one resolution"),
        ("--ar 9:16", "The prompt is empty"),
    ],
)
def test_a_flag_that_cannot_be_done_is_refused(text: str, says: str) -> None:
    """As the field of the same meaning would be; no picture is left out in silence."""
    with pytest.raises(InvalidRequest) as caught:
        video(said(text, "https://a.example/1.png", "https://a.example/2.png"))

    assert says in caught.value.message


def test_a_length_that_a_person_typed_is_exact() -> None:
    """The field may be the default of a library; with OpenAI's names it becomes the nearest length."""
    assert video(said("waves"), model="sora-2", seconds=4).order.seconds == 8
    with pytest.raises(InvalidRequest, match="8 seconds only") as caught:
        video(said("waves --seconds 4"), model="sora-2")
    assert caught.value.param == "--seconds"


@pytest.mark.parametrize("flag", ["--first 1", "--last 1", "--seconds 8"])
def test_flags_of_videos_mean_nothing_to_pictures(flag: str) -> None:
    """So they are refused instead of dropped."""
    with pytest.raises(InvalidRequest, match=f"makes pictures; '{flag[:-2]}' belongs to videos"):
        pictures(said(f"a fox {flag}", "https://a.example/1.png"))


def test_a_reference_of_a_picture_may_be_an_earlier_one_or_an_address() -> None:
    """With an address nobody means the picture above; with a number it is one of those that would be worked from."""
    above: Turns = [{"role": "assistant", "content": f"![image]({HERE}/above.png)"}]
    earlier = [*said("mix", "https://a.example/1.png", "https://a.example/2.png"), *said("only the second --ref 2")]

    assert pictures([*above, *said("blue")]).sources == (StoredSource("above.png", "messages", advice=WAY_OUT),)
    assert pictures([*above, *said("blue --ref 1")]).sources == (StoredSource("above.png", "messages", advice=WAY_OUT),)
    by_address = pictures([*above, *said("blue --ref https://a.example/c.png")])
    assert by_address.sources == (LinkSource("https://a.example/c.png", "messages"),)
    broken = [*said("a fox", "data:image/png;base64,@"), *said("blue --ref https://a.example/c.png")]
    assert pictures(broken).sources == by_address.sources
    assert pictures(earlier).sources == (LinkSource("https://a.example/2.png", "messages", advice=WAY_OUT),)


def test_only_the_last_turn_has_flags() -> None:
    """Earlier ones were carried out, and nobody reads what the system says."""
    turns: Turns = [
        {"role": "system", "content": "Be brief. --ar 1:1"},
        *said("waves --ar 9:16"),
        {"role": "assistant", "content": "done --seed 4"},
        *said("once more"),
    ]
    order = video(turns).order

    assert (order.prompt, order.ratio, order.seed) == ("once more", Ratio.LANDSCAPE, None)


def test_flags_do_not_count_as_prompt() -> None:
    """A prompt may be as long as before."""
    flags = f" --ar 9:16 --first https://a.example/{'x' * 200}.png"
    assert len(video([{"role": "user", "content": "w" * 100 + flags}]).order.prompt) == 100
    with pytest.raises(InvalidRequest, match="at most 100 are allowed"):
        video([{"role": "user", "content": "w" * 9000 + flags}])

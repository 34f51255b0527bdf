"""What a conversation wants: the words of its last turn, and the pictures in sight."""

import msgspec
import pybase64
import pytest

from adapter.domain.orders import (
    FileIdSource,
    ImageOrder,
    InlineSource,
    LinkSource,
    Source,
    StoredSource,
    VideoDraft,
    VideoInput,
)
from adapter.errors import InvalidRequest, UnknownModel
from adapter.openai_api.read.chat import chat_image_order, chat_video_draft, wants_pictures
from adapter.openai_api.read.conversation import WAY_OUT, Conversation, Wish, read_wish
from adapter.openai_api.read.media import read_tree
from adapter.openai_api.read.side_calls import find_side_call
from adapter.openai_api.wire.chat import ChatRequest
from adapter.openai_api.wire.media import MediaRequest
from adapter.settings import Chat, load_phrasebook
from tests.fakes import png
from tests.support import LINKS, context

HERE = "http://here:8000"
TERMS = context(longest_prompt=100)
SHIPPED = load_phrasebook(Chat())
#: One turn's content: a text, or parts as JSON has them.
Content = str | list[dict[str, object]] | None


def data_url(width: int = 16) -> str:
    """Return a picture as clients attach it."""
    return f"data:image/png;base64,{pybase64.b64encode(png(width)).decode()}"


def upload(width: int = 16) -> InlineSource:
    """Return what is read of it."""
    return InlineSource(png(width), "messages")


def link(name: str) -> str:
    """Return a link of ours."""
    return f"{HERE}/media/{name}"


def kept(name: str) -> StoredSource:
    """Return what is read of it."""
    return StoredSource(name, "messages")


def earlier(source: Source) -> Source:
    """Return the same of an earlier turn: an error about it says how to go on without it."""
    return msgspec.structs.replace(source, advice=WAY_OUT)


def picture(url: str) -> dict[str, object]:
    """Return a part as OpenAI's clients write it."""
    return {"type": "image_url", "image_url": {"url": url, "detail": "auto"}}


def text(words: str) -> dict[str, object]:
    """Return a part of words."""
    return {"type": "text", "text": words}


def user(content: Content) -> dict[str, object]:
    """Return a turn of the user's."""
    return {"role": "user", "content": content}


def answer(content: Content = None, *images: str) -> dict[str, object]:
    """Return a turn of ours, with pictures beside it as OpenRouter's clients send them back."""
    return {"role": "assistant", "content": content, "images": [picture(url) for url in images] or None}


def wish(*turns: dict[str, object], look_back: bool = True) -> Wish:
    """Read a conversation."""
    return read_wish(Conversation(turns, "messages", LINKS), look_back=look_back)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a fox", "a fox"),
        ([text("a fox")], "a fox"),
        ([text("a fox"), text("at dusk")], "a fox\nat dusk"),
        ([{"type": "input_text", "text": "a fox"}], "a fox"),
        ([text("a"), picture("https://a"), text("b")], "a\nb"),
        ([{"type": "text"}], ""),
        ([], ""),
        (None, ""),
        ("", ""),
    ],
)
def test_the_words_are_those_of_the_last_user_turn(content: Content, words: str) -> None:
    """A text, parts of text, or none."""
    found = wish(
        {"role": "system", "content": "Be brief."}, user("earlier"), answer("done"), user(content), answer("…")
    )

    assert found.text == words


@pytest.mark.parametrize(
    ("part", "source"),
    [
        (picture("https://a/b.png"), LinkSource("https://a/b.png", "messages")),
        (picture(data_url()), upload()),
        (picture(link("a.png")), kept("a.png")),
        ({"type": "image_url", "image_url": "https://a/b.png"}, LinkSource("https://a/b.png", "messages")),
        ({"type": "image_url", "image_url": data_url()}, upload()),
        ({"type": "input_image", "image_url": data_url(), "detail": "low"}, upload()),
        ({"type": "file", "file": {"file_data": data_url(), "filename": "fox.png"}}, upload()),
        ({"type": "input_file", "file_data": data_url(), "filename": "fox.png"}, upload()),
        ({"type": "file", "file": {"file_data": "https://a/b.png"}}, LinkSource("https://a/b.png", "messages")),
        ({"type": "file", "file": {"file_id": "file-1"}}, FileIdSource("file-1", "messages")),
        ({"type": "input_image", "file_id": "file-1"}, FileIdSource("file-1", "messages")),
        ({"type": "input_file", "file_id": "file-1"}, FileIdSource("file-1", "messages")),
    ],
)
def test_a_picture_may_be_attached_in_many_ways(part: dict[str, object], source: Source) -> None:
    """OpenAI's parts for chats and for the Responses API, bare addresses as gateways write them, files."""
    assert wish(user([text("blue"), part])) == Wish("blue", (source,), (None,))


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ({"type": "image_url"}, "A picture needs an 'image_url'"),
        ({"type": "input_image"}, "A picture needs an 'image_url'"),
        ({"type": "file", "file": {}}, "A picture needs an 'image_url'"),
        ({"type": "input_file"}, "A picture needs an 'image_url'"),
        ({"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}, "'input_audio' cannot be used"),
        ({"type": "video_url", "video_url": {"url": "https://a"}}, "'video_url' cannot be used"),
        ({"type": "refusal", "refusal": "no"}, "'refusal' cannot be used"),
        ({"type": "text", "text": 7}, "has to be text"),
        ({"type": 7}, "cannot be used"),
        ({}, "cannot be used"),
        (picture("data:image/png;base64,@"), "base64 of the data: URL is broken"),
        (picture("data:application/pdf,%25PDF"), "has to be 'data:image"),
        (picture("blob:https://a/b"), "is not a picture"),
        (picture(""), "A picture needs an 'image_url'"),
    ],
)
def test_a_part_that_cannot_be_used_is_refused(part: dict[str, object], says: str) -> None:
    """It was meant, so it is not left out."""
    with pytest.raises(InvalidRequest, match=says) as caught:
        wish(user([text("blue"), part]))

    assert caught.value.param == "messages"


@pytest.mark.parametrize("turns", [(), (answer("hello"),), ({"role": "system", "content": "a"},)])
def test_a_conversation_without_a_user_is_refused(turns: tuple[dict[str, object], ...]) -> None:
    """There is nobody who wants anything."""
    with pytest.raises(InvalidRequest, match="no message of role 'user'"):
        wish(*turns)


def test_all_pictures_of_the_last_user_turn_are_meant_in_their_order() -> None:
    """And none from before it."""
    found = wish(
        user([picture(data_url(9))]),
        answer(f"![]({link('old.png')})"),
        user([picture(data_url(width)) for width in (1, 2)]),
    )

    assert found.pictures == (upload(1), upload(2))


@pytest.mark.parametrize(
    "shown",
    [
        answer(f"![image]({link('a.png')})"),
        answer(f"Here you are:\n\n![a fox, (blue)]({link('a.png')})\n\nEnjoy!"),
        answer([text(f"![]({link('a.png')}?x=1)")]),
        answer([picture(link("a.png"))]),
        answer(None, link("a.png")),
        answer(f"![one]({link('b.png')})\n\n![two]({link('a.png')})"),
        answer(f"![one]({link('b.png')})", link("a.png")),
        answer("two", link("b.png"), link("a.png")),
        answer(f"![elsewhere](https://example.com/b.png) ![ours]({link('a.png')}) ![](https://example.com/c.png)"),
        answer(f"![a]({link('a.png')}) and the [film]({link('b.mp4')})"),
    ],
)
def test_make_it_blue_means_the_last_picture_of_the_answer_above(shown: dict[str, object]) -> None:
    """By a link of ours in its text, as a part, or beside it; the last one of several, and nobody else's."""
    found = wish(user("a fox"), shown, user("make it blue"))

    assert found == Wish("make it blue", (earlier(kept("a.png")),), (None,), is_earlier=True)


@pytest.mark.parametrize(
    "shown",
    [answer(f"![image]({data_url()})"), answer(None, data_url()), answer(f"![]({data_url().replace('data', 'DATA')})")],
)
def test_a_picture_that_an_answer_carries_is_data(shown: dict[str, object]) -> None:
    """In its text or beside it."""
    assert wish(user("a fox"), shown, user("make it blue")).pictures == (earlier(upload()),)


def test_a_picture_that_was_given_earlier_is_meant_while_nothing_newer_was_made() -> None:
    """All of that turn's, in their order."""
    given = user([text("mix them"), picture(data_url(1)), picture(data_url(2))])

    found = wish(given, answer("How?"), user("half and half"))
    assert found.pictures == (earlier(upload(1)), earlier(upload(2)))


def test_the_newest_turn_with_a_picture_wins() -> None:
    """Given or made, whichever came last; turns of words in between do not matter."""
    made = answer(f"![]({link('a.png')})")
    given = user([picture(data_url())])

    assert wish(given, made, user("ok"), answer("?"), user("blue")).pictures == (earlier(kept("a.png")),)
    assert wish(user("a"), made, given, answer("?"), user("blue")).pictures == (earlier(upload()),)


@pytest.mark.parametrize(
    "other",
    [
        answer("[no picture](http://here:8000/media/a.png)"),
        answer("http://here:8000/media/a.png"),
        answer("![](https://example.com/a.png)"),
        answer("![](http://here:8000/media/)"),
        answer("![](http://here:8000/v1/models)"),
        answer("![unclosed](http://here:8000/media/a.png"),
        answer("![two\nlines](http://here:8000/media/a.png)"),
        answer("![](data:text/plain,hello)"),
        {"role": "system", "content": "![](http://here:8000/media/a.png)"},
        {"role": "tool", "content": "![](http://here:8000/media/a.png)"},
        {"role": "system", "content": [{"type": "image_url", "image_url": "https://a"}]},
        user("![](https://example.com/a.png) http://here:8000/media/a.mp4 http://elsewhere/http://here:8000/media/"),
    ],
)
def test_what_only_looks_like_a_picture_is_none(other: dict[str, object]) -> None:
    """A mere link, somebody else's picture, another role."""
    assert wish(user("a fox"), other, user("make it blue")).pictures == ()


@pytest.mark.parametrize(
    "said",
    [
        "make http://here:8000/media/a.png blue",
        "make this blue: ![](http://here:8000/media/a.png)",
        [text("make it blue"), text("<img src='http://here:8000/media/a.png'>")],
    ],
)
def test_a_link_of_ours_that_a_user_writes_is_meant(said: str | list[dict[str, object]]) -> None:
    """Dropped from another window, or pasted; before what the conversation showed last."""
    assert wish(answer(f"![]({link('b.png')})"), user(said)).pictures == (kept("a.png"),)


@pytest.mark.parametrize(
    "broken",
    [
        user([picture("data:image/png;base64,@")]),
        user([{"type": "file", "file": {"file_id": None}}]),
        user([{"type": "input_audio"}]),
        answer(None, "data:image/png;base64,@"),
        answer("![](data:image/png;base64,@)"),
    ],
)
def test_a_broken_picture_of_an_old_turn_is_in_nobodys_way(broken: dict[str, object]) -> None:
    """It was refused when its turn came, and clients send it again with every message."""
    newer = answer(None, link("a.png"))

    assert wish(broken, newer, user("blue")).pictures == (earlier(kept("a.png")),)
    assert wish(newer, broken, user("blue")).pictures == (earlier(kept("a.png")),)
    assert wish(broken, user([text("blue"), picture(data_url())])).pictures == (upload(),)
    assert wish(broken, user("blue"), look_back=False).pictures == ()
    assert wish(broken, user("blue")) == Wish("blue")


@pytest.mark.parametrize(
    "odd",
    [
        user([{"text": "a part without a type"}]),
        [{"image_url": {"url": "https://a.example/untyped.png"}}],
        {"role": "user", "content": [7, None, "words"]},
        user([{"type": 7}]),
        {"role": "user", "content": 7},
        {"role": "user", "content": {"type": "text", "text": "not in a list"}},
        {"role": 7, "content": "who?"},
        {"content": "no role"},
        {"role": "assistant", "content": None, "images": ["fox.png", "data:image/png;base64,@"]},
        {"role": "assistant", "content": None, "images": "fox.png"},
        {"role": "user", "content": "look", "attachments": [{"name": "report.pdf"}], "files": {"id": 7}},
        {"role": "user", "content": [picture("data:application/pdf;base64,JVBERi0xLjc=")]},
        {"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]},
        {"role": "tool", "content": [{"type": "tool_result"}]},
        "not even an object",
        None,
    ],
)
def test_one_odd_old_turn_is_in_nobodys_way(odd: object) -> None:
    """Clients send it with every message that follows; what is not used is not judged."""
    last = {"role": "user", "content": "a cat"}
    shown = {"role": "assistant", "content": f"![]({link('a.png')})"}

    for model, read in (("gemini-3-pro-image", chat_image_order), ("veo-3.1-fast", chat_video_draft)):
        body = read_tree({"model": model, "messages": [odd, shown, odd, last]}, ChatRequest)
        order = read(body, TERMS)
        assert (order.order if isinstance(order, VideoDraft) else order).prompt == "a cat"
        assert order.sources == (() if isinstance(order, VideoDraft) else (earlier(kept("a.png")),))
        assert find_side_call(body, SHIPPED) is None


@pytest.mark.parametrize(
    "beside",
    [
        {"images": [link("a.png")]},
        {"images": [picture(link("a.png"))]},
        {"image": link("a.png")},
        {"image_url": {"url": link("a.png")}},
        {"attachments": [{"name": "a.png", "url": link("a.png")}]},
        {"files": [{"type": "file", "file_url": link("a.png")}]},
    ],
)
def test_pictures_beside_the_last_message_are_meant(beside: dict[str, object]) -> None:
    """Under whatever name a program puts them there."""
    assert wish({"role": "user", "content": "blue", **beside}).pictures == (kept("a.png"),)


@pytest.mark.parametrize(
    "beside",
    [{"attachments": [{"name": "report.pdf"}]}, {"files": ["report.pdf"]}, {"images": [7]}, {"image_url": "fox"}],
)
def test_what_is_beside_the_last_message_and_no_picture_is_refused(beside: dict[str, object]) -> None:
    """It was meant, so it is not left out."""
    with pytest.raises(InvalidRequest, match="picture") as caught:
        wish({"role": "user", "content": "blue", **beside})
    assert caught.value.param == "messages"


def test_what_a_turns_picture_is_to_a_video_means_nothing_to_pictures() -> None:
    """A conversation goes on with another model; a field of the request itself is refused (`test_names.py`)."""
    turn = user([text("blue"), {**picture("https://a.example/1.png"), "role": "first_frame"}])
    still = chat_image_order(read_tree({"model": "gemini-3-pro-image", "messages": [turn]}, ChatRequest), TERMS)
    film = chat_video_draft(read_tree({"model": "veo-3.1-fast", "messages": [turn]}, ChatRequest), TERMS)

    assert still.sources == film.sources == (LinkSource("https://a.example/1.png", "messages"),)
    assert film.order.input is VideoInput.FRAME


def test_pictures_beside_the_conversation_are_those_of_the_last_turn() -> None:
    """Then nobody looks back, and what differs from the turn's own is refused by both names."""
    above = answer(f"![]({link('a.png')})")

    def read(**fields: object) -> ImageOrder:
        sent = {"model": "gemini-3-pro-image", "messages": [above, user("blue")], **fields}
        return chat_image_order(read_tree(sent, ChatRequest), TERMS)

    own = [above, user([text("blue"), picture("https://a.example/1.png")])]
    assert read(image="https://a.example/1.png").sources == (LinkSource("https://a.example/1.png", "image"),)
    assert read(messages=own, image="https://a.example/1.png").sources == (
        LinkSource("https://a.example/1.png", "image"),
    )
    with pytest.raises(InvalidRequest, match="'messages' and 'images' bring different pictures"):
        read(messages=own, images=["https://a.example/2.png"])


def test_a_last_frame_beside_the_conversation_joins_the_picture_of_the_turn() -> None:
    """Its name says what it is."""
    sent = {
        "model": "veo-3.1-fast",
        "messages": [user([text("run"), picture("https://a.example/1.png")])],
        "last_frame_image": "https://a.example/2.png",
    }
    made = chat_video_draft(read_tree(sent, ChatRequest), TERMS)

    assert made.order.input is VideoInput.FRAMES
    assert made.sources == (
        LinkSource("https://a.example/1.png", "messages"),
        LinkSource("https://a.example/2.png", "last_frame_image"),
    )


def test_words_only_is_a_way_out_of_an_old_picture() -> None:
    """Without it a picture that is gone would be in the way of everything that follows."""
    turns = [answer(f"![]({link('gone.png')})"), user("a cat --ref none")]
    made = chat_image_order(read_tree({"model": "gemini-3-pro-image", "messages": turns}, ChatRequest), TERMS)

    assert (made.prompt, made.sources) == ("a cat", ())
    for wrong in ("a cat --ref none 1", "a cat --ref 1 none"):
        body = read_tree({"model": "gemini-3-pro-image", "messages": [turns[0], user(wrong)]}, ChatRequest)
        with pytest.raises(InvalidRequest, match="'--ref none' stands alone"):
            chat_image_order(body, TERMS)


def test_a_broken_picture_beside_the_last_one_of_an_answer_is_in_nobodys_way() -> None:
    """Only the last one is meant."""
    shown = answer("![](data:image/png;base64,@)", "fox.png", link("a.png"))

    assert wish(user("a fox"), shown, user("blue")).pictures == (earlier(kept("a.png")),)


@pytest.mark.parametrize(
    "noise", ["![", "![](x", "![](", "![a](b", "![]("[::-1], "!" * 9, "[]()", f"![]({HERE}/media/"]
)
def test_a_text_of_nothing_but_brackets_is_read_in_one_go(noise: str) -> None:
    """Half a megabyte of it; a search that starts over at every bracket would take many minutes."""
    found = wish(answer(noise * (500_000 // len(noise))), answer(f"![]({link('a.png')})"[:-1]), user("blue"))

    assert found.pictures == ()


def test_a_picture_model_takes_pictures_and_a_video_model_ignores_earlier_ones() -> None:
    """The same conversation, two models."""
    turns = (user("a fox"), answer(None, link("a.png")), user("make it run"))
    pictures = ChatRequest(media=MediaRequest(model="gemini-3-pro-image"), messages=turns)
    video = ChatRequest(media=MediaRequest(model="veo-3.1-fast"), messages=turns)

    assert wants_pictures(pictures, TERMS)
    assert chat_image_order(pictures, TERMS).sources == (earlier(kept("a.png")),)
    assert not wants_pictures(video, TERMS)
    assert chat_video_draft(video, TERMS).order.prompt == "make it run"


def test_a_picture_in_the_turn_itself_is_for_the_video() -> None:
    """Its first frame, where nothing else is said."""
    body = {"model": "veo-3.1-fast", "messages": [user([text("run"), picture(data_url())])]}
    read = chat_video_draft(read_tree(body, ChatRequest), TERMS)

    assert (read.order.input, read.sources) == (VideoInput.FRAME, (upload(),))


def order_of(**fields: object) -> object:
    """Read a chat with a picture model as it would come in."""
    body = {"model": "gemini-3.1-flash-image", "messages": [user("a fox")], **fields}
    return chat_image_order(read_tree(body, ChatRequest), TERMS)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": [user(" ")]}, "messages"),
        ({"messages": [user([picture("https://a")])]}, "messages"),
        ({"messages": [user("x" * 101)]}, "messages"),
        ({"messages": [user([text("a"), *[picture("https://a")] * 15])]}, "messages"),
        ({"model": "veo-3.1-fast"}, "model"),
        ({"n": 0}, "n"),
        ({"n": 11}, "n"),
        ({"seed": "seven"}, "seed"),
        ({"quality": "superb"}, "quality"),
        ({"size": "7:3"}, "size"),
        ({"image_config": {"aspect_ratio": "wide"}}, "image_config.aspect_ratio"),
        ({"imageConfig": {"imageSize": "3K"}}, "imageConfig.imageSize"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(fields: dict[str, object], param: str) -> None:
    """The fields of a chat, not those of the Images API."""
    with pytest.raises(InvalidRequest) as caught:
        order_of(**fields)

    assert caught.value.param == param


def test_whether_a_model_makes_pictures_is_asked_of_the_catalogue() -> None:
    """Without a model, or with an unknown one, there is nothing to ask."""
    with pytest.raises(InvalidRequest, match="'model' is required"):
        wants_pictures(ChatRequest(), TERMS)
    with pytest.raises(UnknownModel):
        wants_pictures(ChatRequest(media=MediaRequest(model="gpt-9")), TERMS)
    assert wants_pictures(ChatRequest(media=MediaRequest(model="gpt-image-1")), TERMS)
    assert not wants_pictures(ChatRequest(media=MediaRequest(model="sora-2")), TERMS)


def test_the_wishes_of_a_chat_are_those_of_the_images_api() -> None:
    """OpenRouter's `image_config` in either spelling; sampling parameters mean nothing."""
    plain = order_of(n=2, seed=7, image_config={"aspect_ratio": "16:9", "image_size": "2K"}, temperature=0.3)

    assert plain == order_of(n=2, seed=7, imageConfig={"aspectRatio": "16:9", "imageSize": "2K"})
    assert plain == order_of(n=2, seed=7, aspect_ratio="16:9", quality="hd", modalities=["image", "text"])

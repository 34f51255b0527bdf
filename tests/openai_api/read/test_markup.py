"""Which markup a video is shown in, and what of it is taken out of what comes back."""

import msgspec
import pytest

from adapter.domain.job import StoredVideo
from adapter.domain.markup import Markup
from adapter.errors import AdapterError, InvalidRequest
from adapter.openai_api.read.chat import chat_image_order, chat_video_draft, wants_pictures
from adapter.openai_api.read.markup import asked_markup, choose_markup, split_model, without_videos
from adapter.openai_api.read.media import read_tree
from adapter.openai_api.wire.chat import ChatRequest
from adapter.openai_api.wire.media import MediaRequest
from adapter.openai_api.write.chat import video_shown
from tests.support import LINKS, catalogue, context

HERE = "http://here:8000"
CATALOGUE = catalogue()
VIDEO = StoredVideo(video=f"{'a' * 32}.mp4", poster=f"{'a' * 32}.jpg", size=1, sha256="00")
SHOWN = [video_shown(VIDEO, LINKS, form) for form in Markup]
SHOWN += [video_shown(msgspec.structs.replace(VIDEO, poster=None), LINKS, Markup.MARKDOWN)]
SHOWN += [SHOWN[0].partition("\n")[0]]  # the poster alone
#: As it was in earlier versions. Chats are kept, so these come back as well.
SHOWN += [
    f"![Video preview]({HERE}/media/{VIDEO.poster})\n\n[Download video]({HERE}/media/{VIDEO.video})",
    f"[Download video]({HERE}/media/{VIDEO.video})",
]
SHOWN += [each.replace("?download=1", "") for each in SHOWN if "<video" in each]
SHOWN += [each.replace(' width="100%"', "") for each in SHOWN if "width" in each]


@pytest.mark.parametrize(
    ("agent", "form"),
    [
        ("Python/3.11 aiohttp/3.12.15", Markup.HTML),
        ("Python/3.13 aiohttp/4.0.0", Markup.HTML),
        ("node-fetch", Markup.HTML),
        ("node-fetch/1.0 (+https://github.com/bitinn/node-fetch)", Markup.HTML),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 CherryStudio/1.7.0 Chrome/140.0 Electron/38.0", Markup.DIV),
        ("langchainjs-openai/1.0.0", Markup.MARKDOWN),
        ("Next.js Middleware", Markup.MARKDOWN),
        ("OpenAI/JS 7.55.0", Markup.MARKDOWN),
        ("OpenAI/Python 3.52.0", Markup.MARKDOWN),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36", Markup.MARKDOWN),
        ("curl/8.5.0", Markup.MARKDOWN),
        ("python-httpx/0.28", Markup.MARKDOWN),
        ("", Markup.MARKDOWN),
    ],
)
def test_auto_goes_by_what_a_program_is_known_to_play(agent: str, form: Markup) -> None:
    """Markdown where nothing is known: a tag that is shown as text helps nobody."""
    assert choose_markup([Markup.AUTO], agent) is form
    assert choose_markup([None], agent) is form
    assert choose_markup([Markup.DIV], agent) is Markup.DIV


def test_the_first_wish_that_there_is_counts() -> None:
    """Of the request, then the model's name, then the key, then the configuration."""
    assert choose_markup([None, Markup.HTML, Markup.DIV], "curl") is Markup.HTML
    assert choose_markup([Markup.AUTO, Markup.HTML], "curl") is Markup.MARKDOWN


@pytest.mark.parametrize(
    ("name", "plain", "form"),
    [
        ("veo-3.1-fast", "veo-3.1-fast", None),
        ("veo-3.1-fast:html", "veo-3.1-fast", Markup.HTML),
        ("veo-3.1-fast-portrait:html", "veo-3.1-fast-portrait", Markup.HTML),
        ("veo-3.1-fast:div", "veo-3.1-fast", Markup.DIV),
        ("veo-3.1-fast:auto", "veo-3.1-fast", Markup.AUTO),
        ("sora-2:markdown", "sora-2", Markup.MARKDOWN),
        ("veo_3_1_t2v_fast:html", "veo_3_1_t2v_fast", Markup.HTML),
        ("gpt-image-1:html", "gpt-image-1:html", None),
        ("veo-3.1-fast:mp4", "veo-3.1-fast:mp4", None),
    ],
)
def test_a_video_models_name_may_end_in_a_markup(name: str, plain: str, form: Markup | None) -> None:
    """For programs that can choose a model and nothing else; behind the shape."""
    assert split_model(name, CATALOGUE) == (plain, form)
    assert asked_markup(ChatRequest(media=MediaRequest(model=name)), CATALOGUE) is form


def test_the_ending_is_no_part_of_the_order() -> None:
    """The same video is being made, however it will be shown."""
    body = ChatRequest(
        media=MediaRequest(model="veo-3.1-fast-portrait:html"), messages=({"role": "user", "content": "waves"},)
    )

    assert not wants_pictures(body, context())
    read = chat_video_draft(body, context())
    assert (read.order.model, read.order.upstream) == ("veo-3.1-fast-portrait", "veo_3_1_t2v_fast_portrait")


@pytest.mark.parametrize("name", ["gemini-3-pro-image:html", "veo-3.1-fast:webm", "nothing:html", ":html"])
def test_other_endings_are_no_models(name: str) -> None:
    """They are not dropped in silence."""
    with pytest.raises(AdapterError, match="does not exist here"):
        wants_pictures(ChatRequest(media=MediaRequest(model=name)), context())


def test_a_request_may_ask_for_a_markup_itself() -> None:
    """Stronger than its model's name; null is as good as absent."""
    for field, form in (("html", Markup.HTML), ("auto", Markup.AUTO), (None, Markup.DIV)):
        body = {"model": "veo-3.1-fast:div", "video_markup": field}
        assert asked_markup(read_tree(body, ChatRequest), CATALOGUE) is form
    with pytest.raises(InvalidRequest, match=r"'bbcode' is not offered .* markdown, html, div, auto") as caught:
        asked_markup(ChatRequest(media=MediaRequest(model="veo-3.1-fast"), video_markup="bbcode"), CATALOGUE)
    assert caught.value.param == "video_markup"


@pytest.mark.parametrize("shown", SHOWN)
@pytest.mark.parametrize(("before", "after"), [("", ""), ("Like this one:\n\n", "\n\nbut at night"), ("a ", " b")])
def test_an_answer_that_comes_back_in_a_message_is_no_prompt(shown: str, before: str, after: str) -> None:
    """Some programs quote it, or send the whole conversation as one message; its poster is then no first frame."""
    left = without_videos(f"{before}{shown}{after}", LINKS)

    assert left == f"{before}{after}".strip()
    messages = ({"role": "user", "content": f"waves {before}{shown}{after}"},)
    wish = chat_video_draft(ChatRequest(media=MediaRequest(model="veo-3.1-fast"), messages=messages), context())
    assert "media" not in wish.order.prompt
    assert wish.sources == ()


@pytest.mark.parametrize(
    "text",
    [
        "waves",
        f"from ![Video preview]({HERE}/media/a.jpg)",
        f"see {HERE}/media/a.mp4",
        "[Download video](https://elsewhere.example/media/a.mp4)",
        f"[Download video]({HERE}/media/a.mp4?download=2)",
        f"[Open video]({HERE}/media/a.png)",
        f"[![Sunset]({HERE}/media/a.jpg)]({HERE}/media/a.mp4)",
        f'<video src="{HERE}/media/a.mp4" controls="controls">',
        "a <video> tag in neon",
    ],
)
def test_what_is_not_an_answer_of_ours_stays(text: str) -> None:
    """A poster that somebody shows by itself is a picture to work from."""
    assert without_videos(text, LINKS) == text


@pytest.mark.parametrize("shown", SHOWN)
def test_an_earlier_video_is_not_in_the_way_of_the_next_wish(shown: str) -> None:
    """As an answer in the history it is neither prompt nor, for a video, a picture to work from."""
    messages = (
        {"role": "user", "content": "waves"},
        {"role": "assistant", "content": shown},
        {"role": "user", "content": "at night --ar 9:16"},
    )
    wish = chat_video_draft(ChatRequest(media=MediaRequest(model="veo-3.1-fast"), messages=messages), context())
    still = chat_image_order(ChatRequest(media=MediaRequest(model="gemini-3-pro-image"), messages=messages), context())

    assert (wish.order.prompt, wish.sources) == ("at night", ())
    assert still.prompt == "at night"


def test_a_long_text_of_nothing_but_heads_is_read_in_one_go() -> None:
    """As long as a prompt may be."""
    text = f'<video src="{HERE}/media/a.mp4" controls="controls">' * 600

    assert without_videos(text, LINKS) == text

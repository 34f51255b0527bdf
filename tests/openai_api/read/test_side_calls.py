"""Side calls of chat programs are told from prompts, and answered as their programs read them.

`tests/golden/side_calls` holds requests of ten programs, shortened to what matters (…), each with where its words
stand in the program's source, what it is and what is answered; and prompts that only look alike.
"""

import msgspec
import pytest

from adapter.domain.side_calls import Phrasebook, SideCallKind
from adapter.domain.texts import Turn
from adapter.openai_api.read.side_calls import MOST_TURNS, TURN_CHARACTERS, find_side_call, turns_of
from adapter.openai_api.wire.chat import ChatRequest
from adapter.openai_api.write.side_calls import make_title, side_answer
from adapter.settings import Chat, load_phrasebook, shipped_phrases
from tests.support import GOLDEN


class Recorded(msgspec.Struct, frozen=True):
    """A side call."""

    what: str
    source: str
    request: ChatRequest
    kind: SideCallKind
    answer: str


class Real(msgspec.Struct, frozen=True):
    """A prompt."""

    why: str
    request: ChatRequest


FOLDER = GOLDEN / "side_calls"
RECORDED = {
    f"{file.stem}: {case.what}": case
    for file in sorted(FOLDER.glob("*.json"))
    if file.stem != "real_prompts"
    for case in msgspec.json.decode(file.read_bytes(), type=list[Recorded])
}
SIDE_CALLS = [pytest.param(case, id=name) for name, case in RECORDED.items()]
PROMPTS = [
    pytest.param(case.request, id=case.why)
    for case in msgspec.json.decode((FOLDER / "real_prompts.json").read_bytes(), type=list[Real])
]
SHIPPED = load_phrasebook(Chat())
PHRASES = [phrase for several in shipped_phrases().values() for phrase in several]
#: What Chatbox begins with.
NAMING = "Based on the chat history, give this conversation a name."


def test_there_are_enough_of_both() -> None:
    """Sixty on each side, from ten programs."""
    assert len(RECORDED) >= 60
    assert len(PROMPTS) >= 60


@pytest.mark.parametrize("case", SIDE_CALLS)
def test_a_side_call_is_known_and_answered(case: Recorded) -> None:
    """Its kind, and the form and the words of its answer."""
    found = find_side_call(case.request, SHIPPED)

    assert found is not None
    assert found.kind == case.kind
    assert side_answer(found, "video") == case.answer


@pytest.mark.parametrize("missing", PHRASES)
def test_every_phrase_is_there_for_one_of_these_requests(missing: str) -> None:
    """Without it a side call would be made into a video."""
    left = {kind: [each for each in several if each != missing] for kind, several in shipped_phrases().items()}
    book = Phrasebook(left)

    assert any(find_side_call(case.request, book) is None for case in RECORDED.values())


@pytest.mark.parametrize("request_", PROMPTS)
def test_a_prompt_is_not_taken_for_a_side_call(request_: ChatRequest) -> None:
    """However much of one it mentions."""
    assert find_side_call(request_, SHIPPED) is None


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("a fox", "A fox"),
        ("A red fox running through the snow at dawn", "A red fox running"),
        ("a red fox, running through the snow", "A red fox"),
        ("Fox! In the snow.", "Fox! In the snow"),
        ("please make a video of a fox who reads", "A fox who reads"),
        ("Ein roter Fuchs läuft bei Sonnenaufgang durch den Schnee", "Ein roter Fuchs läuft bei Sonnenaufgang"),
        ("Рыжая лиса бежит по снегу на рассвете", "Рыжая лиса бежит по снегу"),
        ("一只红色的狐狸在黎明时分穿过雪地奔跑的电影画面", "一只红色的狐狸在黎明时分穿过雪地"),
        ("雪の中のキツネ。夜", "雪の中のキツネ"),
        (
            "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen",
            "Donaudampfschifffahrtsgesellschaftskapitänsmütze",
        ),
        ("make it blue --ar 16:9 --seed 7", "Make it blue"),
        ("![x](http://here/a.png) the same at [night](http://here/)", "The same at night"),
        ("data:image/png;base64,iVBORw0KGgo= as a drawing", "As a drawing"),
        ("<b>a fox</b>\n\nsecond line", "A fox"),
        ("![x](http://here/a.png)", "Video"),
        ("…", "Video"),
        ("", "Video"),
    ],
)
def test_a_title_is_the_beginning_of_what_was_said(text: str, title: str) -> None:
    """In its own language, without flags, links and pictures, and not torn off."""
    assert make_title(text, "Video") == title


def test_a_picture_model_tags_pictures() -> None:
    """The medium is the first tag."""
    found = find_side_call(RECORDED["open_webui: tags"].request, SHIPPED)

    assert found is not None
    assert side_answer(found, "image") == '{"tags":["image","snow"]}'


@pytest.mark.parametrize(
    ("phrase", "text", "fits"),
    [
        ("Gib dem Gespräch", "  GIB dem\n**Gespräch** einen Namen", True),
        ("Gib dem Gespräch", "Bitte: gib dem Gespräch einen Namen", False),
        ("Name the * in * words", "name the chat in 3 words", True),
        ("Name the * in * words", f"name the {'very ' * 100}long chat in 3 words", False),
        ("Was (genau) ist das?", "was (genau) ist das?", True),
        ("/name (this|the) chat/", "Name the  chat", True),
        ("/name (this|the) chat/", "Please name the chat", False),
    ],
)
def test_a_phrase_is_a_beginning(phrase: str, text: str, *, fits: bool) -> None:
    """Capitals, white space and asterisks do not count; between slashes stands a regular expression."""
    assert (Phrasebook({SideCallKind.TITLE: [phrase]}).kind_of(text) == SideCallKind.TITLE) is fits


@pytest.mark.parametrize("wanted", [None, "json", 7, ["x"], {"type": 7}, {"type": "json_schema", "json_schema": 1}])
def test_a_form_of_answer_that_nobody_knows_is_plain_text(wanted: object) -> None:
    """What makes pictures tolerates it; so does what makes titles."""
    request = msgspec.json.encode(
        {
            "messages": [{"role": "user", "content": f"{NAMING}\nUser: a fox"}],
            "response_format": wanted,
        }
    )
    found = find_side_call(msgspec.json.decode(request, type=ChatRequest), SHIPPED)

    assert found is not None
    assert side_answer(found, "video") == "A fox"


@pytest.mark.parametrize("messages", [None, [], [{"role": "user"}], [{"role": "tool", "content": NAMING}]])
def test_what_says_nothing_is_no_side_call(messages: object) -> None:
    """It is refused where prompts are read."""
    assert find_side_call(msgspec.convert({"messages": messages}, ChatRequest), SHIPPED) is None


def test_a_text_model_is_told_what_was_said_and_shown_nothing() -> None:
    """No pictures, neither beside the text nor in it, and no tools; whoever is called developer is the system."""
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    messages = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "a fox"}, picture]},
        {"role": "assistant", "content": "![image](data:image/png;base64,iVBORw0KGgo=) done"},
        {"role": "tool", "content": "{}"},
        {"role": "assistant", "content": None},
        {"role": "user", "content": "Name it."},
    ]

    assert turns_of(msgspec.convert({"messages": messages}, ChatRequest)) == (
        Turn("system", "Be brief."),
        Turn("user", "a fox"),
        Turn("assistant", "![image]() done"),
        Turn("user", "Name it."),
    )


def test_a_text_model_is_told_the_end_of_a_long_conversation() -> None:
    """A title is not worth more."""
    messages = [{"role": "user", "content": f"{number} {'x' * TURN_CHARACTERS}"} for number in range(50)]
    turns = turns_of(msgspec.convert({"messages": messages}, ChatRequest))

    assert (len(turns), turns[-1].text[:3]) == (MOST_TURNS, "49 ")
    assert {len(turn.text) for turn in turns} == {TURN_CHARACTERS}

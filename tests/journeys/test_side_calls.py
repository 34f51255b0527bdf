"""What chat programs ask beside the conversation costs nothing (`frontends.md` section 0.1)."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import msgspec
import openai
import pytest

from tests.journeys.server import KEY, Connect, Server
from tests.support import GOLDEN

MODEL = "veo-3.1-fast"
PICTURES = "gemini-3.1-flash-image"
TITLE = "Provide a concise, 5-word-or-less title for the conversation. Only return the title itself."


class Recorded(msgspec.Struct, frozen=True):
    """A side call of the golden files, as far as it is replayed here."""

    what: str
    request: dict[str, msgspec.Raw]
    answer: str


def recorded(program: str) -> list[Recorded]:
    """Return the side calls of a program."""
    return msgspec.json.decode((GOLDEN / "side_calls" / f"{program}.json").read_bytes(), type=list[Recorded])


def titled(prompt: str) -> str:
    """Return LibreChat's wish for a title."""
    return f"{TITLE}\n\nConversation:\nUser: {prompt}\nAI: "


def from_open_webui(task: str, form: str, prompt: str) -> str:
    """Return a wish of Open WebUI."""
    history = f'<chat_history>\nUSER: """{prompt}"""\n</chat_history>'
    return f"### Task:\n{task}\n### Output:\nJSON format: {form}\n### Chat History:\n{history}"


def asked(client: openai.OpenAI, text: str, model: str = MODEL) -> str:
    """Return the answer to one message, as a front-end asks beside the conversation."""
    answer = client.chat.completions.create(model=model, messages=[{"role": "user", "content": text}], stream=False)
    return answer.choices[0].message.content or ""


@contextmanager
def running(folder: Path, connect: Connect, chat: str, models: str = "") -> Iterator[tuple[Server, openai.OpenAI]]:
    """Run a server with keys of its own in `[chat]`, and in its catalogue where `models` has one."""
    with ExitStack() as stack:
        server = Server(folder, chat=chat)
        if models:
            (folder / "models.toml").write_text(models)
            config = folder / "adapter.toml"
            first, rest = config.read_text().lstrip().split("\n", 1)
            assert first.startswith("models")
            config.write_text(f'models = "models.toml"\n{rest}')
        server.start()
        stack.callback(server.stop)
        yield server, stack.enter_context(connect(server))


def test_the_first_turn_of_open_webui_costs_one_video(tmp_path: Path, connect: Connect) -> None:
    """A title before the main call, follow-ups and tags after it, all on the same model, as recorded."""
    prompt = "a red fox in the snow"
    with running(tmp_path, connect, "") as (server, client):
        before = asked(client, from_open_webui("Generate a concise, 3-5 word title …", '{ "title": "…" }', prompt))
        made = list(
            client.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": prompt}], stream=True, tools=[]
            )
        )
        after = [
            asked(client, from_open_webui(task, form, prompt))
            for task, form in (
                (
                    "Suggest 3-5 relevant follow-up questions or prompts that the user might naturally ask next …",
                    '{ "follow_ups": ["Question 1?"] }',
                ),
                (
                    "Generate 1-3 broad tags categorizing the main themes of the chat history …",
                    '{ "tags": ["tag1", "tag2"] }',
                ),
            )
        ]

        assert before == '{"title":"A red fox in the snow"}'
        assert after == ['{"follow_ups":[]}', '{"tags":["video","snow"]}']
        assert ".mp4" in "".join(chunk.choices[0].delta.content or "" for chunk in made)
        assert (server.executions(), server.executed(prompt)) == (1, 1)


@pytest.mark.parametrize("program", ["open_webui", "librechat", "chatbox", "big_agi", "goose"])
@pytest.mark.parametrize("model", [MODEL, PICTURES])
def test_a_recorded_side_call_is_answered_at_once(http: httpx.Client, server: Server, program: str, model: str) -> None:
    """By either kind of model, in the form that was asked for, streamed or not; and nothing is made."""
    before = server.executions()
    for case in recorded(program):
        body = msgspec.json.encode({**case.request, "model": model})
        headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
        reply = http.post(f"{server.url}/v1/chat/completions", content=body, headers=headers)

        assert reply.status_code == 200, f"{case.what}: {reply.text}"
        assert reply.headers["x-side-call"]
        streamed = case.request.get("stream") == msgspec.Raw(b"true")
        assert reply.headers["content-type"].startswith("text/event-stream" if streamed else "application/json")
    assert server.executions() == before


def test_a_streamed_title_comes_as_any_stream_does(client: openai.OpenAI) -> None:
    """Chatbox streams its titles: role, content, finish, and the usage because it was asked for."""
    chunks = list(
        client.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": titled("waves at night")}],
            stream=True,
            stream_options={"include_usage": True},
        )
    )

    *said, last = chunks
    assert [chunk.choices[0].delta.role for chunk in said] == ["assistant", None, None]
    assert [chunk.choices[0].delta.content for chunk in said] == ["", "Waves at night", None]
    assert [chunk.choices[0].finish_reason for chunk in said] == [None, None, "stop"]
    assert last.choices == []
    assert last.usage is not None
    assert last.usage.total_tokens == 0


def test_a_side_call_for_an_unknown_model_is_refused_as_ever(client: openai.OpenAI) -> None:
    """Nobody's title hides a mistake in the model's name."""
    with pytest.raises(openai.NotFoundError):
        asked(client, titled("waves"), "veo-9")


def test_the_words_of_a_side_call_alone_are_a_prompt(server: Server, client: openai.OpenAI) -> None:
    """At the beginning of a conversation, with nothing that they are about: somebody wants to see that."""
    prompt = f"{TITLE} {uuid4()}"

    assert ".png" in asked(client, prompt, PICTURES)
    assert server.executed(prompt) == 1


def test_side_calls_can_be_refused(tmp_path: Path, connect: Connect) -> None:
    """With a message that names the setting, and without a second try."""
    with running(tmp_path, connect, 'side_calls = "refuse"') as (server, client):
        with pytest.raises(openai.BadRequestError) as refused:
            asked(client, titled("waves"))

        assert refused.value.code == "side_call_refused"
        assert "chat.side_calls" in refused.value.message
        assert refused.value.response.headers["x-should-retry"] == "false"
        assert server.executions() == 0


def test_side_calls_can_be_prompts_like_others(tmp_path: Path, connect: Connect) -> None:
    """For whoever has a use for that."""
    with running(tmp_path, connect, 'side_calls = "generate"') as (server, client):
        prompt = titled("waves").strip()

        assert ".png" in asked(client, prompt, PICTURES)
        assert server.executed(prompt) == 1


def test_a_text_model_writes_them_where_the_operator_wants_that(tmp_path: Path, connect: Connect) -> None:
    """One named for all, or by a model's own row; and while it fails, the answer is made here."""
    chat = 'side_call_model = "gemini-3.5-flash-lite"\n[chat.side_call_patterns]\ntitle = ["Wie heißt das hier"]'
    shipped = (GOLDEN.parent.parent / "config" / "models.toml").read_text()
    models = shipped.replace('name = "veo-3.1-fast"', 'name = "veo-3.1-fast"\nside_calls = "gemini-2.5-flash-lite"')
    with running(tmp_path, connect, chat, models) as (server, client):
        title = titled("waves").strip()
        assert asked(client, title, PICTURES) == "Emulated words"
        assert asked(client, title) == "Emulated words"
        assert server.models(title) == ["gemini-3.5-flash-lite", "gemini-2.5-flash-lite"]

        tags = from_open_webui("Generate 1-3 broad tags categorizing the main themes of the chat history", "", "a fox")
        assert asked(client, tags.replace("format: ", 'format: { "tags": ["tag1"] }')) == '{"tags":["Emulated words"]}'
        assert asked(client, "Wie heißt das hier?\nUser: a fox", PICTURES) == "Emulated words"

        server.fault(on="gemini.generate", do="error")
        assert asked(client, title) == "Waves"
        assert "side_call.not_written" in server.log
        assert {"image", "video"}.isdisjoint(server.models(title))


def test_a_markup_behind_the_models_name_does_not_hide_a_side_call(
    server: Server, client: openai.OpenAI, prompt: str
) -> None:
    """The chat's model is `veo-3.1-fast:html`, so the title is asked of that name as well."""
    before = server.executions()

    assert asked(client, titled(prompt), f"{MODEL}:html")
    assert server.executions() == before

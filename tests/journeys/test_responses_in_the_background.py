"""Responses that nobody waits for, and videos as responses."""

import time
from pathlib import Path

import httpx
import openai
import pytest
from openai.types.responses import Response

from tests.journeys.server import KEY, Connect, Server, wait_until
from tests.journeys.test_responses import CHAT_MODEL, ORDER, picture
from tests.pictures import opened

pytestmark = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")

HEADERS = {"authorization": f"Bearer {KEY}"}
VIDEO_MODEL = "veo-3.1-fast"
QUEUED = [ORDER[0], "response.queued", *ORDER[1:]]
SECONDS = 30.0


def begun(client: openai.OpenAI, prompt: str = "a fox") -> Response:
    """Have a picture made in the background."""
    return client.responses.create(
        model=CHAT_MODEL, input=prompt, tools=[{"type": "image_generation"}], background=True
    )


def over(client: openai.OpenAI, response: Response) -> Response:
    """Ask until a response is over, which has to be soon."""
    until = time.monotonic() + SECONDS
    while response.status in {"queued", "in_progress"}:
        assert time.monotonic() < until
        response = client.responses.retrieve(response.id)
    return response


def test_a_picture_is_made_while_nobody_waits(client: openai.OpenAI) -> None:
    """And then it is there."""
    response = begun(client)
    assert (response.status, response.background, response.output) == ("queued", True, [])
    done = over(client, response)

    assert done.status == "completed"
    assert opened(picture(done)).format == "PNG"


def test_a_failure_is_there_as_well(client: openai.OpenAI) -> None:
    """In OpenAI's word."""
    failed = over(client, begun(client, "[blocked]"))

    assert failed.status == "failed"
    assert failed.error is not None
    assert failed.error.code == "image_content_policy_violation"


def test_a_stream_can_be_left_and_taken_up_again(client: openai.OpenAI, server: Server) -> None:
    """From any event on; the events are the same, and the picture was not made twice."""
    server.fault(on="gemini.generate", do="delay", seconds=0.5, prompt="a fox to come back to")
    with client.responses.create(
        model=CHAT_MODEL,
        input="a fox to come back to",
        tools=[{"type": "image_generation"}],
        background=True,
        stream=True,
    ) as stream:
        first = next(iter(stream))
    assert first.type == "response.created"
    rest = list(client.responses.retrieve(first.response.id, stream=True, starting_after=first.sequence_number))
    again = list(client.responses.retrieve(first.response.id, stream=True))

    assert [event.type for event in [first, *rest]] == QUEUED
    assert [event.type for event in again] == QUEUED
    assert [event.sequence_number for event in again] == list(range(len(QUEUED)))
    assert rest[-1] == again[-1]
    assert server.executed("a fox to come back to") == 1


def test_a_response_is_called_off(client: openai.OpenAI, server: Server) -> None:
    """And stays so; one that waits for its picture learns of it."""
    server.fault(on="gemini.generate", do="delay", seconds=2.0, prompt="a fox that nobody wants")
    response = begun(client, "a fox that nobody wants")

    assert client.responses.cancel(response.id).status == "cancelled"
    assert client.responses.cancel(response.id).status == "cancelled"
    assert client.responses.retrieve(response.id).status == "cancelled"
    with pytest.raises(openai.BadRequestError):
        client.responses.cancel(client.responses.create(model="gemini-2.5-flash-image", input="a fox").id)


def test_the_operator_cancels_a_picture_that_is_being_made(client: openai.OpenAI, server: Server, prompt: str) -> None:
    """Beside the running server, which drops what comes of it."""
    server.fault(on="gemini.generate", do="hang", after=True, prompt=prompt)
    response = begun(client, prompt)
    wait_until(lambda: server.executed(prompt) == 1, "it was not made")
    job_id = response.id.replace("resp_", "image_")
    listed, done = server.command("jobs", "list"), server.ran("jobs", "cancel", job_id)
    again = server.ran("jobs", "cancel", job_id)

    assert f"{job_id}  submitting" in listed
    assert (done.returncode, done.stdout) == (0, "It is cancelled. It is being made: it is paid for, and not kept.\n")
    assert client.responses.retrieve(response.id).status == "cancelled"
    assert (again.returncode, again.stderr) == (1, f"Error: There is no job '{job_id}' that is still going on.\n")


def test_the_list_of_jobs_has_both_kinds(client: openai.OpenAI, server: Server, prompt: str) -> None:
    """The newest first; a picture has no progress."""
    video = over(client, client.responses.create(model=VIDEO_MODEL, input=prompt, background=True))
    image = over(client, begun(client, prompt))
    _, newest, older = server.command("jobs", "list", "--limit", "2").splitlines()

    assert newest.split()[2:] == [image.id.replace("resp_", "image_"), "completed", "gpt-image-1"]
    assert older.split()[2:] == [video.id.replace("resp_", "video_"), "completed", "100", "%", VIDEO_MODEL]


@pytest.mark.parametrize("by_stream", [False, True])
def test_a_picture_that_was_looked_up_is_delivered(
    client: openai.OpenAI, server: Server, prompt: str, *, by_stream: bool
) -> None:
    """The client left its first stream, and got the picture by its id. The same request after that is a new wish."""

    def left() -> str:
        with client.responses.create(
            model=CHAT_MODEL, input=prompt, tools=[{"type": "image_generation"}], background=True, stream=True
        ) as stream:
            first = next(iter(stream))
        assert first.type == "response.created"
        return first.response.id

    first = left()
    if by_stream:
        assert [*client.responses.retrieve(first, stream=True)][-1].type == "response.completed"
    else:
        assert over(client, client.responses.retrieve(first)).status == "completed"
    second = left()

    assert over(client, client.responses.retrieve(second)).status == "completed"
    assert (first == second, server.executed(prompt)) == (False, 2)


def test_what_is_still_being_made_is_not_followed_up(client: openai.OpenAI, server: Server) -> None:
    """The picture that "it" means is not there yet; another one would be paid for."""
    server.fault(on="gemini.generate", do="delay", seconds=2.0, prompt="a fox to follow up")
    response = begun(client, "a fox to follow up")
    with pytest.raises(openai.BadRequestError, match="still being made") as caught:
        client.responses.create(model="gpt-image-1", input="make it blue", previous_response_id=response.id)

    assert caught.value.param == "previous_response_id"
    client.responses.delete(response.id)


def test_a_picture_that_was_under_way_when_the_process_died_has_failed(connect: Connect, tmp_path: Path) -> None:
    """It may have been paid for and is not made again by itself; what was finished is still there."""
    server = Server(tmp_path)
    server.start()
    with connect(server) as client:
        finished = over(client, begun(client))
        server.fault(on="gemini.generate", do="delay", seconds=60, prompt="a doomed fox")
        doomed = begun(client, "a doomed fox")
        server.wait_until_asked("gemini.generate")
        while client.responses.retrieve(doomed.id).status == "queued":
            pass
    server.kill()
    server.start()
    with connect(server) as client:
        failed = over(client, client.responses.retrieve(doomed.id))
        events = list(client.responses.retrieve(doomed.id, stream=True))
        assert failed.status == "failed"
        assert failed.error is not None
        assert "The server was stopped while the picture was being made." in failed.error.message
        assert events[-1].type == "response.failed"
        assert client.responses.retrieve(finished.id) == finished
        assert server.executed("a doomed fox") == 0
    assert server.stop() == 0


def test_a_picture_under_way_gets_a_last_while_when_the_process_is_told_to_stop(
    connect: Connect, tmp_path: Path
) -> None:
    """It is paid for, and it is there after the restart."""
    server = Server(tmp_path)
    server.start()
    server.fault(on="gemini.generate", do="delay", seconds=1.0, prompt="a late fox")
    with connect(server) as client:
        late = begun(client, "a late fox")
        server.wait_until_asked("gemini.generate")
    assert server.stop() == 0
    server.start()
    with connect(server) as client:
        assert client.responses.retrieve(late.id).status == "completed"
    assert server.stop() == 0


def test_a_video_is_a_response(client: openai.OpenAI, http: httpx.Client, prompt: str) -> None:
    """A poster and a link, as in a chat; the same when it is looked up."""
    made = client.responses.create(model=VIDEO_MODEL, input=prompt)
    link = made.output_text.rpartition("](")[2].removesuffix(")")

    assert [item.type for item in made.output] == ["reasoning", "message"]
    assert http.get(link).headers["content-type"] == "video/mp4"
    assert client.responses.retrieve(made.id) == made


def test_a_video_is_told_as_it_comes_along(client: openai.OpenAI, server: Server, prompt: str) -> None:
    """As reasoning; told again it has the same events."""
    with client.responses.stream(model=VIDEO_MODEL, input=prompt) as stream:
        events = list(stream)
        final = stream.get_final_response()
    progress = "".join(event.delta for event in events if event.type == "response.reasoning_summary_text.delta")
    again = list(client.responses.retrieve(final.id, stream=True))

    assert progress.startswith("Sending the prompt to the video model.\nMaking the video: ")
    assert progress.endswith("The video is made.\n")
    assert "[Download video](" in final.output_text
    assert [(event.type, event.sequence_number) for event in again] == [
        (event.type, event.sequence_number) for event in events
    ]
    assert server.executed(prompt) == 1


def test_a_video_in_the_background_outlives_the_process(connect: Connect, tmp_path: Path, prompt: str) -> None:
    """It is a job, which is remembered; it is paid for once."""
    server = Server(tmp_path, active_seconds=1.5)
    server.start()
    with connect(server) as client:
        response = client.responses.create(model=VIDEO_MODEL, input=prompt, background=True)
        assert response.status in {"queued", "in_progress"}
    server.kill()
    server.start()
    with connect(server) as client:
        done = over(client, client.responses.retrieve(response.id))
        assert done.status == "completed"
        assert "[Download video](" in done.output_text
        assert server.executed(prompt) == 1
    assert server.stop() == 0


def test_a_video_that_fails_fails_its_response(client: openai.OpenAI, prompt: str) -> None:
    """An error where somebody waits, a state where nobody does."""
    with pytest.raises(openai.APIStatusError):
        client.responses.create(model=VIDEO_MODEL, input=f"[fails] {prompt}")
    background = client.responses.create(model=VIDEO_MODEL, input=f"[fails] again {prompt}", background=True)
    events = list(client.responses.retrieve(background.id, stream=True))

    assert over(client, background).status == "failed"
    assert events[-1].type == "response.failed"


def test_a_video_whose_response_is_called_off_is_made_all_the_same(
    client: openai.OpenAI, server: Server, prompt: str
) -> None:
    """It is paid for."""
    response = client.responses.create(model=VIDEO_MODEL, input=prompt, background=True)

    assert client.responses.cancel(response.id).status == "cancelled"
    job = response.id.replace("resp_", "video_")
    wait_until(lambda: f'"job_id": "{job}"' in finished(server), "the video was not made")
    assert client.responses.retrieve(response.id).status == "cancelled"
    assert [event.type for event in client.responses.retrieve(response.id, stream=True)][-1] == "response.failed"
    assert server.executed(prompt) == 1


def finished(server: Server) -> str:
    """Return the lines of the log that tell of finished jobs."""
    return "\n".join(line for line in server.log.splitlines() if "job.finished" in line)


def test_a_video_that_is_made_is_not_called_off(client: openai.OpenAI, prompt: str) -> None:
    """It stays where it is."""
    done = over(client, client.responses.create(model=VIDEO_MODEL, input=prompt, background=True))

    assert client.responses.cancel(done.id) == done
    assert client.responses.retrieve(done.id) == done


def test_a_stream_is_taken_up_only_behind_an_event(http: httpx.Client, client: openai.OpenAI, server: Server) -> None:
    """A number, that is."""
    made = client.responses.create(model="gemini-2.5-flash-image", input="a fox")
    url = f"{server.url}/v1/responses/{made.id}?stream=true&starting_after=last"

    assert http.get(url, headers=HEADERS).json()["error"]["param"] == "starting_after"

"""Gemini by the addresses of Google Cloud: in a project with an access token, or with an API key ("express")."""

import asyncio
from io import BytesIO
from typing import Final

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response.base import ASGIResponse
from PIL import Image

from adapter.sandbox.cloud.tokens import project_checked, token_checked
from adapter.sandbox.cloud.wire import (
    CloudGenerateContentRequest,
    ImageOutputOptions,
    PublisherModel,
    PublisherModelList,
)
from adapter.sandbox.fault_injection import served
from adapter.sandbox.faults import ResponseMutation
from adapter.sandbox.gemini import chat, texts
from adapter.sandbox.gemini.checks import asked, prompt_of
from adapter.sandbox.gemini.models import MODELS
from adapter.sandbox.gemini.routes import METHODS, generated, json, streamed, text_whole
from adapter.sandbox.gemini.wire import Candidate, GenerateContentResponse, OutBlob
from adapter.sandbox.google_errors import GoogleError
from adapter.sandbox.reading import read
from adapter.sandbox.state import Incoming, SandboxState, entered, json_body, key_checked, sandbox_of

VERSIONS: Final = ("v1", "v1beta1")
JPEG: Final = "image/jpeg"
#: Google's own default.
USUAL_QUALITY: Final = 75


@post(
    [
        f"/{each}/projects/{{project:str}}/locations/{{location:str}}/publishers/google/models/{{target:str}}"
        for each in VERSIONS
    ],
    status_code=200,
)
async def call_model(
    request: Incoming, project: FromPath[str], location: FromPath[str], target: FromPath[str]
) -> ASGIResponse:
    """Serve a model in a project."""
    sandbox = entered(request, "cloud.generate")
    project_checked(request, sandbox, project)
    return await _answered(request, sandbox, target, f"projects/{project}/locations/{location}")


@get([f"/{each}/publishers/google/models" for each in VERSIONS])
async def list_models(request: Incoming) -> ASGIResponse:
    """List every model of the publisher on one page, with an access token or an API key."""
    sandbox = sandbox_of(request)
    if "x-goog-api-key" in request.headers:
        key_checked(request, sandbox.rules)
    else:
        token_checked(request, sandbox)
    names = [f"publishers/google/models/{name}" for name in (*MODELS, *texts.MODELS)]
    return json(PublisherModelList(publisher_models=[PublisherModel(name=name) for name in names]))


@post([f"/{each}/publishers/google/models/{{target:str}}" for each in VERSIONS], status_code=200)
async def call_model_with_key(request: Incoming, target: FromPath[str]) -> ASGIResponse:
    """Serve a model to an API key."""
    sandbox = entered(request, "cloud.generate")
    key_checked(request, sandbox.rules)
    return await _answered(request, sandbox, target, "projects/express/locations/global")


@post(
    [
        f"/{each}/projects/{{project:str}}/locations/{{location:str}}/endpoints/openapi/chat/completions"
        for each in VERSIONS
    ],
    status_code=200,
)
async def complete_chat(request: Incoming, project: FromPath[str], location: FromPath[str]) -> ASGIResponse:
    """Answer a chat in OpenAI's form (`google-cloud.md` section 2)."""
    sandbox = entered(request, "cloud.chat")
    place = f"projects/{project}/locations/{location}"

    def check(request: Incoming, sandbox: SandboxState) -> None:
        project_checked(request, sandbox, project)

    return await chat.answered(request, sandbox, "cloud.chat", check, lambda name: _chat_model(name, place))


def _chat_model(name: str, place: str) -> str:
    """Return the model of a name, which has its publisher before it."""
    publisher, slash, plain = name.partition("/")
    if not slash or publisher != "google":
        raise GoogleError(400, f"Malformed publisher model `{name}`: the form is `publisher/model`.")
    if plain not in texts.MODELS:
        raise _unknown_model(place, plain)
    return plain


def _unknown_model(place: str, name: str) -> GoogleError:
    return GoogleError(
        404,
        f"Publisher Model `{place}/publishers/google/models/{name}` was not found or your project does not have "
        "access to it. Please ensure you are using a valid model version.",
    )


async def _answered(request: Incoming, sandbox: SandboxState, target: str, place: str) -> ASGIResponse:
    name, _, method = target.partition(":")
    if method not in METHODS:
        raise GoogleError(400, f"Gemini cannot be accessed through Vertex {method} API.")
    body = read(await json_body(request), CloudGenerateContentRequest)
    if any(content.role not in {"user", "model"} for content in body.contents):
        raise GoogleError(400, "Please use a valid role: user, model.")
    if name not in MODELS and name not in texts.MODELS:
        raise _unknown_model(place, name)
    prompt = prompt_of(body)

    async def work(mutation: ResponseMutation | None) -> ASGIResponse:
        if name in texts.MODELS:
            text = text_whole(sandbox, name, body)
            return streamed(request, text) if method == "streamGenerateContent" else json(text)
        order = await asyncio.to_thread(asked, MODELS[name], body)
        whole = await generated(sandbox, order, mutation)
        config = body.generation_config.image_config
        if config is not None and config.image_output_options.mime_type == JPEG:
            whole = await asyncio.to_thread(_with_jpeg, whole, config.image_output_options)
        return streamed(request, whole) if method == "streamGenerateContent" else json(whole)

    return await served(request, sandbox, ("cloud.generate", prompt), work)


def _with_jpeg(whole: GenerateContentResponse, options: ImageOutputOptions) -> GenerateContentResponse:
    quality = USUAL_QUALITY if options.compression_quality is None else options.compression_quality
    return msgspec.structs.replace(whole, candidates=[_candidate(each, quality) for each in whole.candidates])


def _candidate(candidate: Candidate, quality: int) -> Candidate:
    if candidate.content is None:
        return candidate
    parts = [
        part
        if part.inline_data is None
        else msgspec.structs.replace(
            part, inline_data=OutBlob(mime_type=JPEG, data=_jpeg(part.inline_data.data, quality))
        )
        for part in candidate.content.parts
    ]
    return msgspec.structs.replace(candidate, content=msgspec.structs.replace(candidate.content, parts=parts))


def _jpeg(png: bytes, quality: int) -> bytes:
    written = BytesIO()
    Image.open(BytesIO(png)).convert("RGB").save(written, "JPEG", quality=max(1, min(quality, 95)))
    return written.getvalue()


ROUTES = [list_models, call_model, call_model_with_key, complete_chat]

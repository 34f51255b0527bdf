"""What a credential is worth: one free call to Google says it. `adapter check --online` asks."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec

from adapter.domain.answer_memory import SMALL_ANSWER_BYTES, bounded
from adapter.errors import AdapterError, reason_of
from adapter.providers.http import Http
from adapter.providers.reply import Reply, decoded

#: Asks one free thing with a credential, and returns what it is worth in words; raises AdapterError for a refusal.
Ask = Callable[[], Awaitable[str]]


class CredentialReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the call with one credential."""

    #: The credential's own, never the secret.
    name: str
    is_good: bool
    #: What it is worth, or why it is worth nothing.
    words: str


class _Models(msgspec.Struct, frozen=True):
    """The part that is read of an answer to `GET models`: of the Gemini API, and of Google Cloud."""

    models: tuple[msgspec.Raw, ...] = ()
    publisher_models: tuple[msgspec.Raw, ...] = msgspec.field(name="publisherModels", default=())
    next_page: str = msgspec.field(name="nextPageToken", default="")


_decoder = msgspec.json.Decoder(_Models)


async def ask_each(asks: Sequence[tuple[str, Ask]]) -> Sequence[CredentialReport]:
    """Ask with each credential, which is given by its name."""
    return [await _report(name, ask) for name, ask in asks]


async def _report(name: str, ask: Ask) -> CredentialReport:
    try:
        return CredentialReport(name=name, is_good=True, words=await ask())
    except AdapterError as fault:
        return CredentialReport(name=name, is_good=False, words=reason_of(fault))


async def ask_models(http: Http, url: str, headers: Mapping[str, str], fault: Callable[[Reply], AdapterError]) -> str:
    """Return how many models an address lists for a credential.

    Raises:
        AdapterError: what `fault` says of a refusal, or there is no answer.
    """
    with bounded(SMALL_ANSWER_BYTES):
        reply = await http.get(url, headers=headers, body=b"", seconds=http.limits.question)
    found = decoded(_decoder, reply, fault)
    count = len(found.models) + len(found.publisher_models)
    return f"{count} models{' and more' if found.next_page else ''}"

"""What every handler works with, and how it answers."""

import msgspec
from litestar import MediaType, Request, Response
from litestar.datastructures import State

from adapter.domain.catalogue import Catalogue
from adapter.domain.ports import Access, Clock
from adapter.generation import Generation

#: A request whose `auth` is the owner of the key it came with.
OwnedRequest = Request[None, str, State]


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """The use cases and the facts that reading and writing need."""

    access: Access
    generation: Generation
    catalogue: Catalogue
    clock: Clock
    #: Base of the links that we hand out.
    public_url: str
    #: Longest prompt, in characters.
    longest_prompt: int


def json_response(body: msgspec.Struct) -> Response[bytes]:
    """Answer with JSON. Encoded here, once: a picture's `msgspec.Raw` goes out as it came in."""
    return Response(msgspec.json.encode(body), media_type=MediaType.JSON)

"""How pictures of the Images API are handed over."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from adapter.domain.delivery import Delivery
from adapter.errors import InvalidRequest
from adapter.openai_api.read.agents import LANGCHAIN
from adapter.openai_api.read.fields import one_of
from adapter.openai_api.read.images import DEFAULT_MODEL
from adapter.openai_api.wire.images import ImagesRequest


def asked_delivery(body: ImagesRequest) -> Delivery | None:
    """Return in which form a request asks for its pictures. A stream has room for base64 only.

    Raises:
        InvalidRequest: an unknown form, or one that a stream does not have.
    """
    if body.response_format is None:
        return Delivery.BASE64 if body.stream else None
    name = body.called("response_format")
    asked = Delivery(one_of(body.response_format, [Delivery.BASE64, Delivery.LINK], name))
    if body.stream and asked is Delivery.LINK:
        raise InvalidRequest("A stream carries 'b64_json' only; leave 'url' out.", param=name)
    return asked


def choose_delivery(wishes: Iterable[Delivery | None], model: str | None, agent: str) -> Delivery:
    """Return the form of the first wish that there is; `auto` goes by the model's name, then by the User-Agent.

    DALL·E answers with links, everything younger with base64 (reference: `openai.md` section 4, `frontends.md` R12).
    LangChain's image wrapper reads links whatever the model is called.
    """
    wished = next((wish for wish in wishes if wish is not None), Delivery.AUTO)
    if wished is not Delivery.AUTO:
        return wished
    if fnmatchcase(model or DEFAULT_MODEL, "dall-e-*"):
        return Delivery.LINK
    return Delivery.BOTH if LANGCHAIN.search(agent) else Delivery.BASE64

"""How the Images API hands pictures over (reference: `openai.md` section 4)."""

from enum import StrEnum


class Delivery(StrEnum):
    """The forms, by the words with which they are asked for or set."""

    #: As OpenAI's own models of that name answer: DALL-E with links, younger ones with base64.
    AUTO = "auto"
    BASE64 = "b64_json"
    LINK = "url"
    #: A link beside the base64, for programs that read the one or the other. No request can ask for it.
    BOTH = "both"

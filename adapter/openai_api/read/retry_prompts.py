"""What agent programs ask by themselves when an answer had no text, or a text that they could not read.

A picture has no text, so the picture was drawn and paid for when such a request comes. It must not become a second one.
Pydantic AI is the program that does it most. Source: `pydantic_ai/messages.py` of its releases 1.0 and 2.68.
"""

import re

from adapter.openai_api.wire.chat import ContentPart

TEXT = "return text"
TOOL = "(?:include your response in a tool call|call a tool)"
IMAGE = "return an image"

#: From 2.x on, in a system message: one to three of its wishes, and nothing else.
_NO_OUTPUT = re.compile(rf"Please (?:{TEXT}|{TOOL}|{IMAGE})(?: or (?:{TOOL}|{IMAGE})){{0,2}}\.")
#: In the user's name: that of 2.x, which has a mark of its own, and that of 1.x.
_FEEDBACK = re.compile(
    r"(?:Your previous response failed the application's validation.{0,200}<pyai:(?:validation_errors|retry_feedback)"
    r"|(?:Validation feedback:|\d{1,9} validation errors?:).*\n\nFix the errors and try again\.\Z)",
    re.DOTALL,
)


def is_retry_prompt(role: str | None, content: str | tuple[ContentPart, ...] | None) -> bool:
    """Say whether a message is one that an agent program wrote to have another answer."""
    text = content if isinstance(content, str) else "\n".join(part.text or "" for part in content or ())
    if role in {"system", "developer"}:
        return _NO_OUTPUT.fullmatch(text) is not None
    return role == "user" and _FEEDBACK.match(text) is not None

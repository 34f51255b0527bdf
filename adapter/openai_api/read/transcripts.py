"""A conversation that stands written in one message, as chat programs write it into their side calls."""

import re
from collections.abc import Iterator

import msgspec

#: Characters of a conversation that are looked at.
MOST_CHARACTERS = 20_000

# What opens and is never closed goes on to the end: looking for each end in vain would take seconds for an evil text.

#: In tags (Open WebUI, LobeChat), after a heading, in a fence (Chatbox, big-AGI, Goose), or by speakers (LibreChat).
_TAGS = re.compile(r"<(chat_history|conversation)>(.*?)(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_HEADING = re.compile(
    r"^[ \t#]*(?:here'?s the |last assistant )?"
    r"(?:conversation|chat history|messages?|query|prompt|input|输入)[ \t]*[:：]"
    r"|\b(?:user query|the word 'title'):",
    re.MULTILINE | re.IGNORECASE,
)
_FENCE = re.compile(r"(?:```[a-z]*|---BEGIN [A-Z ]+---)\n?(.*?)(?:```|---END |\Z)", re.DOTALL)
_QUOTED = re.compile(r'"([^"]+)"')
_SPEAKER = re.compile(
    r"^[ \t]*(?:-[ \t]|\|\|>)?(?:(user|you|human)|assistant|ai|model|system|response|title)[ \t]*[:：]\s*",
    re.MULTILINE | re.IGNORECASE,
)
#: As JSON (Cherry Studio), as elements (LobeChat).
_JSON_USER = re.compile(r'"role":\s*"user",\s*"(?:mainText|content)":\s*("(?:[^"\\]|\\.)*")')
_ELEMENT = re.compile(r"<(user|user_message)>(.*?)(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)
#: Between messages without speakers (Chatbox).
_RULE = re.compile(r"^-{5,}$", re.MULTILINE)


def conversation_in(text: str) -> str | None:
    """Return the conversation that a text carries along, which may be empty; None if it carries none."""
    text = text[:MOST_CHARACTERS]
    if tagged := _TAGS.search(text):
        return tagged[2]
    if headed := _HEADING.search(text):
        rest = text[headed.end() :].lstrip()
        held = _FENCE.match(rest) or _QUOTED.match(rest)
        return held[1] if held else rest
    if fenced := _FENCE.search(text):
        return fenced[1]
    begun = _SPEAKER.search(text) or _JSON_USER.search(text)
    return text[begun.start() :] if begun else None


def users_words(conversation: str) -> tuple[str, ...]:
    """Return what the user says in a conversation; all of it if no speaker has a known name."""
    conversation = conversation[:MOST_CHARACTERS]
    found = [*_from_json(conversation)] or [match[2] for match in _ELEMENT.finditer(conversation)]
    found = found or [*_after_names(conversation)] or _RULE.split(conversation)[:1]
    words = (text.strip().strip('"').strip() for text in found)
    return tuple(text for text in words if text)


def _from_json(conversation: str) -> Iterator[str]:
    for match in _JSON_USER.finditer(conversation):
        try:
            yield msgspec.json.decode(match[1], type=str)
        except msgspec.DecodeError:
            continue


def _after_names(conversation: str) -> Iterator[str]:
    names = [*_SPEAKER.finditer(conversation)]
    ends = [*(name.start() for name in names[1:]), len(conversation)]
    for name, end in zip(names, ends, strict=bool(names)):
        if name[1]:
            yield conversation[name.end() : end]

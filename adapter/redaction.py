"""Removes from texts what a reader must not get: secrets, addresses, control characters, and endless length."""

import re
from typing import Final

#: What may stand in a value of a header, a query or a cookie.
_VALUE: Final = r"""[^&;,\s"']+"""
#: Google keys and tokens, JSON web tokens, our own keys, private keys, what follows the name of a scheme, a cookie or a
#: parameter that opens something, and what signs a link. `basic` is a word too: a text in small letters is no secret.
SECRET: Final = re.compile(
    r"AIza[\w-]{8,}|\bAQ\.[\w-]{8,}|ya29\.[\w.-]+|\bGOCSPX-[\w-]+|\b1//[\w-]{16,}|\bsk-[\w-]{8,}"
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-----END [A-Z ]*PRIVATE KEY-----)?"
    r"|(?<=bearer )\S+|(?<=sapisidhash )\S+|(?<=authorization: basic )\S+"
    r"|(?<=basic )(?-i:(?![A-Z]?[a-z]+(?:[^\w+/=-]|$)))\S{4,}"
    rf"|(?<=sid=){_VALUE}|(?<=sidcc=){_VALUE}|(?<=sidts=){_VALUE}"
    rf"|(?<=\bkey=){_VALUE}|(?<=_key=){_VALUE}|(?<=token=){_VALUE}|(?<=secret=){_VALUE}|(?<=password=){_VALUE}"
    r"""|(?<=token": ")[^"]+|(?<=token":")[^"]+"""
    r"|(?<=signature=)[^&\s]+|(?<=googleaccessid=)[^&\s]+",
    re.IGNORECASE,
)
#: One of these is in every secret, in small letters. Most texts have none, and this is faster to see.
_HINTS: Final = (
    *("aiza", "aq.", "ya29", "gocspx", "1//", "sk-", "eyj", "-----begin", "bearer ", "basic ", "sid", "key="),
    *("token", "secret=", "password=", "signature="),
)
#: Google's error texts name the operator's project.
PROJECT: Final = re.compile(r"(?<=project_number:)\d+|(?<=projects/)[\w-]+|(?<=project )\d{6,}")
URL: Final = re.compile(r"https?://\S+")
HIDDEN: Final = "[hidden]"
#: Commands to a terminal, control characters, and characters that only change how others are shown. Joiners are left:
#: they belong to some scripts and to emoji.
INVISIBLE: Final = re.compile(
    "\x1b\\[[0-?]*[ -/]*[@-~]"
    "|[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
SPACES: Final = re.compile(r"\s+")
#: Characters of an upstream's words that clients get, and of what is looked at for them.
LONGEST_WORDS: Final = 1000
LOOKED_AT: Final = 4 * LONGEST_WORDS


def may_have_secret(text: str) -> bool:
    """Say whether a text has a sign that every secret has. Texts that are joined by line breaks have no other signs."""
    small = text.lower()
    return any(hint in small for hint in _HINTS)


def without_secrets(text: str) -> str:
    """Remove every secret: for our own logs."""
    return SECRET.sub(HIDDEN, text) if may_have_secret(text) else text


def without_controls(text: str) -> str:
    """Remove control characters but tabs and line breaks: for what a model wrote."""
    return INVISIBLE.sub("", text)


def fit_for_clients(text: str) -> str:
    """Return an upstream's words as one line without secrets, addresses and project numbers, for an error."""
    line = SPACES.sub(" ", without_controls(SPACES.sub(" ", text[:LOOKED_AT]))).strip()
    shown = PROJECT.sub(HIDDEN, without_secrets(URL.sub(HIDDEN, line)))
    return shown if len(shown) <= LONGEST_WORDS else f"{shown[:LONGEST_WORDS]} …"

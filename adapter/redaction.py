"""Removes secrets from texts."""

import re

#: Google keys and tokens, bearer tokens, our own keys, and what signs or opens a link.
SECRET = re.compile(
    r"AIza[\w-]{8,}|\bAQ\.[\w-]{8,}|ya29\.[\w.-]+|\bGOCSPX-[\w-]+|\bsk-[\w-]{8,}|(?<=bearer )\S+"
    r"|(?<=[?&]key=)[^&\s]+|(?<=api_key=)[^&\s]+|(?<=signature=)[^&\s]+|(?<=googleaccessid=)[^&\s]+",
    re.IGNORECASE,
)
#: Google's error texts name the operator's project.
PROJECT = re.compile(r"(?<=project_number:)\d+|(?<=projects/)[\w-]+|(?<=project )\d{6,}")
URL = re.compile(r"https?://\S+")
HIDDEN = "[hidden]"


def without_secrets(text: str) -> str:
    """Remove every secret: for our own logs."""
    return SECRET.sub(HIDDEN, text)


def fit_for_clients(text: str) -> str:
    """Blank secrets, addresses and project numbers: for an upstream's words on their way to a client."""
    return PROJECT.sub(HIDDEN, without_secrets(URL.sub(HIDDEN, text)))

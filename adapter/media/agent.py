"""The `User-Agent` for downloads of pictures that clients link to.

Some servers, Wikimedia for example, refuse programs that do not name their version and a contact.
"""

from adapter.version import VERSION


def user_agent(contact: str) -> str:
    """Return the name of this program, its version, and an address if there is one."""
    name = f"adapter/{VERSION}"
    return f"{name} (+{contact})" if contact else f"{name} (self-hosted; OpenAI-compatible API for Gemini and Flow)"

"""What we call ourselves before servers that clients point at.

Some of them, Wikimedia's for one, refuse programs that do not say their version and how their operator can be reached.
"""

from adapter.version import VERSION


def user_agent(contact: str) -> str:
    """Return the name of this program, its version, and an address if there is one."""
    name = f"adapter/{VERSION}"
    return f"{name} (+{contact})" if contact else f"{name} (self-hosted; OpenAI-compatible API for Gemini and Flow)"

"""A secret that was refused, and the one that comes after it."""

from adapter.domain.ports import Secret


async def renewed(secret: Secret, refused: str) -> str:
    """Return a secret after it was refused, and renew it unless that was done since it was read.

    Many calls are refused at once when a token ends. One renewal serves all of them, whenever they hear of it. The
    answer is the refused secret itself if there is no other one.

    Raises:
        AdapterError: as `Secret.read` and `Secret.renew`.
    """
    now = await secret.read()
    return now if now != refused else await secret.renew()

"""What the operator's Flow accounts are worth."""

from collections.abc import Sequence
from functools import partial

import msgspec

from adapter.domain.answer_memory import SMALL_ANSWER_BYTES, bounded
from adapter.providers.flow.accounts import Account
from adapter.providers.flow.provider import headers
from adapter.providers.flow.translate import fault
from adapter.providers.http import Http
from adapter.providers.probe import SECONDS, CredentialReport, ask_each
from adapter.providers.reply import decoded
from adapter.redaction import fit_for_clients


class _Worth(msgspec.Struct, frozen=True, rename="camel"):
    """The answer of `GET /v1/credits` (`flow.md` section 2)."""

    credits: int
    user_paygate_tier: str = ""


_decoder = msgspec.json.Decoder(_Worth)


async def probe(http: Http, base_url: str, accounts: Sequence[Account]) -> Sequence[CredentialReport]:
    """Ask for the credits and the tier of each account, also of one that takes no new work."""
    return await ask_each([(account.name, partial(_ask, http, base_url, account)) for account in accounts])


async def _ask(http: Http, base_url: str, account: Account) -> str:
    token = headers(await account.token.read())
    with bounded(SMALL_ANSWER_BYTES):
        reply = await http.get(f"{base_url}/v1/credits", headers=token, body=b"", seconds=SECONDS)
    found = decoded(_decoder, reply, fault)
    tier = fit_for_clients(found.user_paygate_tier)
    words = f"{found.credits} credits" + (f", {tier}" if tier else "")
    if tier and tier != account.tier:
        words += f"; the configuration says {account.tier}"
    return words if account.enabled else f"{words}; it takes no new work (enabled = false)"

"""What the operator's Flow accounts are worth."""

from collections.abc import Sequence
from functools import partial

import msgspec

from adapter.domain.answer_memory import SMALL_ANSWER_BYTES, bounded
from adapter.providers.description import ProviderContext
from adapter.providers.flow.provider import headers
from adapter.providers.flow.settings import TABLE, FlowAccount, FlowSettings, token_key
from adapter.providers.flow.translate import fault
from adapter.providers.probe import CredentialReport, ask_each
from adapter.providers.reply import decoded
from adapter.redaction import fit_for_clients


class _Worth(msgspec.Struct, frozen=True, rename="camel"):
    """The answer of `GET /v1/credits` (`flow.md` section 2)."""

    credits: int
    user_paygate_tier: str = ""


_decoder = msgspec.json.Decoder(_Worth)


async def probe(settings: FlowSettings, context: ProviderContext) -> Sequence[CredentialReport]:
    """Ask for the credits and the tier of each account, also of one that takes no new work."""
    asks = [
        (account.name, partial(_ask, f"{settings.base_url}/v1/credits", account, number, context))
        for number, account in enumerate(settings.accounts)
    ]
    return await ask_each(asks)


async def _ask(url: str, account: FlowAccount, number: int, context: ProviderContext) -> str:
    token = await context.open_secret(account.token, key=token_key(number)).read()
    with bounded(SMALL_ANSWER_BYTES):
        http = account.client(TABLE, number, context) or context.http
        reply = await http.get(url, headers=headers(token), body=b"", seconds=http.limits.question)
    found = decoded(_decoder, reply, fault)
    tier = fit_for_clients(found.user_paygate_tier)
    words = f"{found.credits} credits" + (f", {tier}" if tier else "")
    if tier and tier != account.tier:
        words += f"; the configuration says {account.tier}"
    return words if account.enabled else f"{words}; it takes no new work (enabled = false)"

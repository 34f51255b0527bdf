"""Flow as the rest of the program sees it."""

from typing import Final

from adapter.domain.catalogue import Card
from adapter.providers.description import Provider, ProviderContext, ProviderDescription
from adapter.providers.flow.accounts import Account, Accounts
from adapter.providers.flow.probe import probe
from adapter.providers.flow.provider import FlowProvider
from adapter.providers.flow.settings import TABLE, FlowAccount, FlowSettings, token_key
from adapter.providers.flow.translate import RATIO_WORDS


def build(settings: FlowSettings, context: ProviderContext) -> Provider:
    """Return Flow with the operator's accounts.

    Raises:
        WrongConfiguration: a token that is referred to is not there.
    """
    accounts = [_account(account, number, context) for number, account in enumerate(settings.accounts)]
    pool = Accounts(accounts, context.clock, context.metrics)
    seconds = settings.credits_seconds
    flow = FlowProvider(context.http, settings.base_url, pool, context.clock, credits_seconds=seconds)
    return Provider(images=flow, videos=flow, credentials=pool, close=flow.close)


def _account(account: FlowAccount, number: int, context: ProviderContext) -> Account:
    return Account(
        name=account.name,
        token=context.open_secret(account.token, key=token_key(number)),
        project_id=account.project_id,
        tier=account.tier,
        dialect=account.dialect,
        enabled=account.enabled,
        concurrency=account.concurrency,
        http=account.client(TABLE, number, context),
    )


def check_card(card: Card) -> None:
    """Look at the shapes of a model.

    Raises:
        ValueError: Flow has no word for one.
    """
    unknown = [ratio for ratio in card.ratios if ratio not in RATIO_WORDS]
    if unknown:
        raise ValueError(f"the model '{card.name}' has the ratio {', '.join(unknown)}, and Flow has no word for it")


FLOW: Final = ProviderDescription(
    name="flow", settings=FlowSettings, build=build, probe=probe, makes={"image", "video"}, check_card=check_card
)

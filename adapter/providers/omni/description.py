"""Gemini Omni as the rest of the program sees it."""

from typing import Final

from adapter.domain.catalogue import Card, VideoCard
from adapter.domain.media import Ratio
from adapter.providers.description import Provider, ProviderContext, ProviderDescription
from adapter.providers.keys import Keys, open_keys
from adapter.providers.omni.api import OmniEndpoint
from adapter.providers.omni.probe import probe
from adapter.providers.omni.provider import OmniProvider
from adapter.providers.omni.refusals import Refusals
from adapter.providers.omni.settings import OmniSettings

RATIOS: Final = frozenset({Ratio.LANDSCAPE, Ratio.PORTRAIT})
RESOLUTIONS: Final = ("360p", "720p", "1080p", "4k")


def build(settings: OmniSettings, context: ProviderContext) -> Provider:
    """Return Gemini Omni with the operator's keys.

    Raises:
        WrongConfiguration: a key that is referred to is not there.
    """
    keys = open_keys(settings.named_keys, context)
    endpoint = OmniEndpoint(
        base_url=settings.base_url,
        api_version=settings.api_version,
        revision=settings.revision,
        concurrency=settings.concurrency,
    )
    refusals = Refusals(settings.refused_polls, settings.refused_seconds)
    pool = Keys(keys, context.clock, context.metrics, provider="omni")
    omni = OmniProvider(context.http, endpoint, pool, context.clock, refusals, send_seed=settings.send_seed)
    return Provider(videos=omni, credentials=pool, close=omni.close)


def check_card(card: Card) -> None:
    """Look at the shapes and resolutions of a model.

    Raises:
        ValueError: the API has no word for one.
    """
    if not isinstance(card, VideoCard):
        return
    for what, offered, known in (("ratio", card.ratios, RATIOS), ("resolution", card.resolutions, RESOLUTIONS)):
        unknown = [each for each in offered if each not in known]
        if unknown:
            raise ValueError(
                f"the model '{card.name}' has the {what} {', '.join(unknown)}, and Omni has no word for it"
            )


OMNI: Final = ProviderDescription(
    name="omni", settings=OmniSettings, build=build, probe=probe, makes={"video"}, check_card=check_card
)

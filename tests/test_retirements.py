"""Models that end soon: what `check` and the log say of them."""

import asyncio
from datetime import UTC, date, datetime

import msgspec
import structlog

from adapter.domain.catalogue import Catalogue, CatalogueFile, ImageCard
from adapter.retirements import RetirementWatch, retirements
from adapter.settings import Chat, Settings
from tests.fakes import FakeClock, let_others_run
from tests.support import CONFIG, ROOT, catalogue

DAY = 86_400.0


def at(day: date) -> float:
    """Return the middle of a day in Unix seconds."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp()


def said(day: date, settings: Settings = CONFIG, offered: Catalogue | None = None) -> list[str]:
    """Return what is said on a day."""
    return [one.message(day) for one in retirements(settings, offered or catalogue(), at(day))]


def with_chat(model: str) -> Settings:
    """Return settings in which a text model writes side calls."""
    return msgspec.structs.replace(CONFIG, chat=Chat(side_call_model=model))


def test_a_model_that_ends_is_named_from_thirty_days_before() -> None:
    """With the names that lead to it."""
    assert said(date(2027, 2, 12)) == []
    assert said(date(2027, 2, 13)) == [
        (
            "Google switches the model 'gemini-2.5-flash-image' (also by: gemini-2.5-flash-image-preview, nano-banana) "
            "off on 2027-03-15, in 30 days."
        )
    ]


def test_a_model_that_has_ended_stays_named() -> None:
    """Until its row is gone."""
    [words] = said(date(2027, 3, 15))

    assert "switched the model" in words
    assert words.endswith("off on 2027-03-15. Requests for it fail.")


def test_another_vendors_name_that_leads_to_the_model_is_named() -> None:
    """Only its first choice answers."""
    card = catalogue().find("gemini-2.5-flash-image").card
    assert isinstance(card, ImageCard)
    later = msgspec.structs.replace(card, name="later", upstream="later", aliases=(), retires=None)
    aliases: dict[str, tuple[str, ...]] = {"dall-e-2": (card.name, "later"), "dall-e-3": ("later", card.name)}
    [words] = said(date(2027, 3, 1), offered=Catalogue(CatalogueFile(image=(card, later), aliases=aliases)))

    assert "nano-banana, dall-e-2)" in words


def test_a_text_model_of_side_calls_is_named_with_its_setting() -> None:
    """It has no row; its day stands in the catalogue."""
    assert said(date(2026, 11, 29), with_chat("gemini-2.5-flash")) == [
        "Google switches the model 'gemini-2.5-flash' (also by: chat.side_call_model) off on 2026-12-01, in 2 days."
    ]
    assert said(date(2026, 11, 29), with_chat("gemini-3.5-flash-lite")) == []


def test_a_model_with_a_row_keeps_its_day_and_its_names_when_it_writes_side_calls() -> None:
    """It is named once."""
    [words] = said(date(2027, 3, 1), with_chat("gemini-2.5-flash-image"))

    assert "nano-banana, chat.side_call_model) off on 2027-03-15" in words


def test_the_example_of_a_text_model_has_no_end() -> None:
    """In the configuration that is shipped."""
    shown = (ROOT / "config" / "adapter.toml").read_text()

    assert not [name for name in catalogue().retirements if f'"{name}"' in shown]


async def test_the_log_says_it_at_the_start_and_each_day() -> None:
    """A process runs for months."""
    clock = FakeClock(at(date(2027, 3, 1)))
    with structlog.testing.capture_logs() as written:
        watching = asyncio.create_task(RetirementWatch(lambda: (CONFIG, catalogue()), clock).run())
        await let_others_run()
        await clock.advance(DAY)
    watching.cancel()
    await asyncio.wait([watching])

    assert [(line["event"], line["model"], line["days"]) for line in written] == [
        ("catalogue.model_ends", "gemini-2.5-flash-image", 14),
        ("catalogue.model_ends", "gemini-2.5-flash-image", 13),
    ]

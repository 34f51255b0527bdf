"""Every documented size, quality and policy with every picture model, from the request to the provider's words.

The expected values stand in `tests/golden/openai/`; each file says where they come from.
"""

from collections.abc import Callable, Iterator
from itertools import product

import msgspec
import pytest

from adapter.domain.media import Frame, Pixels, Ratio, Resolution, SizePolicy
from adapter.domain.orders import ImageOrder
from adapter.errors import InvalidRequest
from adapter.openai_api.read.chat import chat_image_order
from adapter.openai_api.read.edits import edit_order
from adapter.openai_api.read.images import image_order
from adapter.openai_api.read.media import read_tree
from adapter.openai_api.wire.chat import ChatRequest
from adapter.openai_api.wire.images import ImagesRequest
from adapter.openai_api.wire.media import MediaRequest
from adapter.providers.flow import translate as flow
from adapter.providers.gemini import translate as gemini
from tests.support import GOLDEN, context

TERMS = context()

#: The columns of the tables, and every model of `config/models.toml` that has one.
FAMILIES = {
    "gemini-nano-banana-2.1": "2.1",
    "gemini-3.1-flash-image": "3.1",
    "gemini-3-pro-image": "3-pro",
    "gemini-2.5-flash-image": "2.5",
    "gemini-3.1-flash-lite-image": "lite",
    "flow-gem-pix": "flow",
    "flow-gem-pix-2": "flow",
}
QUALITIES = (None, "auto", "standard", "low", "medium", "high", "hd", "xhigh", "max")
POLICIES = (None, "nearest", "cover", "exact")
EVERYTHING_ELSE = list(product(QUALITIES, POLICIES))

REFUSED = "refused"
#: An order as a client sees it: the ratio, the tier, the exact pixels; or that it is refused.
Told = tuple[str | None, str | None, str | None] | str


def table(name: str) -> list[dict[str, str]]:
    """Read a golden table: the last line of its heading names the columns, `-` is nothing."""
    lines = (GOLDEN / "openai" / f"{name}.txt").read_text().splitlines()
    heading = [line for line in lines if line.startswith("#")]
    columns = heading[-1].removeprefix("#").split()
    return [dict(zip(columns, line.split(), strict=True)) for line in lines[len(heading) :]]


PIXELS, WORDS, RATIOS, DRAWN = map(table, ("pixels", "words", "ratios", "drawn"))


def or_none(cell: str) -> str | None:
    """Read a cell that may be empty."""
    return None if cell == "-" else cell


def by_pixels(row: dict[str, str], family: str, policy: str | None) -> Told:
    """Look up what a size in pixels has to come to."""
    ratio, _, tiers = row[family].partition("/")
    nearest, _, cover = tiers.partition(">")
    tier = cover if cover and policy in {"cover", "exact"} else nearest
    return ratio, tier or None, row["size"] if policy == "exact" else None


def by_word(size: str, family: str, quality: str | None) -> Told:
    """Look up what a size in words has to come to."""
    [tier] = [row[family] for row in WORDS if row["size"] == size and row["quality"] in {quality or "-", "any"}]
    return REFUSED if tier == REFUSED else (None, or_none(tier), None)


def by_ratio(row: dict[str, str], family: str, quality: str | None) -> Told:
    """Look up what a ratio has to come to: quality chooses the tier as it does for `auto`."""
    framed = by_word("auto", family, quality)
    return REFUSED if row[family] == "no" else (row["ratio"], *framed[1:])


def doors(model: str, **wish: str | None) -> Iterator[Callable[[], ImageOrder]]:
    """Bring a wish to all three doors: generations, edits and chats, which know no policy."""
    plain = {"model": model, "prompt": "a fox", **wish}
    chat = {"messages": [{"role": "user", "content": "a fox"}], **plain}
    yield lambda: image_order(read_tree(plain, ImagesRequest).media, TERMS)
    yield lambda: edit_order(read_tree({**plain, "image": "https://a/b.png"}, ImagesRequest).media, TERMS)
    if wish.get("size_policy") is None:
        yield lambda: chat_image_order(read_tree(chat, ChatRequest), TERMS)


def told_at(door: Callable[[], ImageOrder]) -> Told:
    """Return what a wish comes to at one door."""
    try:
        order = door()
    except InvalidRequest as fault:
        if fault.param not in {"size", "aspect_ratio", "image_size"}:
            raise
        return REFUSED
    return order.frame.ratio, order.frame.resolution, str(order.exact) if order.exact else None


def told(model: str, **wish: str | None) -> Told:
    """Return what a wish comes to, the same at every door."""
    [found] = set(map(told_at, doors(model, **wish)))
    return found


def ordered(model: str, **wish: str) -> ImageOrder:
    """Read a wish that is granted."""
    return next(doors(model, **wish))()


def all_told(model: str, **wish: str) -> dict[tuple[str | None, str | None], Told]:
    """Return what a wish comes to with every quality and policy."""
    return {
        (quality, policy): told(model, quality=quality, size_policy=policy, **wish)
        for quality, policy in EVERYTHING_ELSE
    }


def test_the_tables_have_every_picture_model_and_every_ratio() -> None:
    """A new model or ratio has to be written down before it is offered."""
    cards = {model.card.name: model.card for model in TERMS.catalogue.models if model.card.kind == "image"}

    assert set(cards) == set(FAMILIES)
    assert [row["ratio"] for row in RATIOS] == [row["ratio"] for row in DRAWN]
    assert {row["ratio"] for row in RATIOS} == set(Ratio)
    for name, family in FAMILIES.items():
        assert {row["ratio"] for row in RATIOS if row[family] != "no"} == set(cards[name].ratios)


@pytest.mark.parametrize("model", FAMILIES)
@pytest.mark.parametrize("row", PIXELS, ids=lambda row: row["size"])
def test_a_size_in_pixels_is_framed_as_the_table_says(row: dict[str, str], model: str) -> None:
    """Whatever the quality; the policy decides between near, at least, and to the pixel."""
    expected = {(quality, policy): by_pixels(row, FAMILIES[model], policy) for quality, policy in EVERYTHING_ELSE}

    assert all_told(model, size=row["size"]) == expected


@pytest.mark.parametrize("model", FAMILIES)
@pytest.mark.parametrize("size", sorted({row["size"] for row in WORDS}))
def test_a_size_in_words_is_framed_as_the_table_says(size: str, model: str) -> None:
    """Whatever the policy; quality chooses the tier where the size does not."""
    expected = {(quality, policy): by_word(size, FAMILIES[model], quality) for quality, policy in EVERYTHING_ELSE}

    assert all_told(model, size=size) == expected


@pytest.mark.parametrize("model", FAMILIES)
def test_no_size_is_the_same_as_auto(model: str) -> None:
    """With every quality and policy."""
    assert all_told(model) == all_told(model, size="auto")


@pytest.mark.parametrize("model", FAMILIES)
@pytest.mark.parametrize("row", RATIOS, ids=lambda row: row["ratio"])
def test_a_ratio_is_framed_as_the_table_says(row: dict[str, str], model: str) -> None:
    """As `size` and as `aspect_ratio`."""
    expected = {(quality, policy): by_ratio(row, FAMILIES[model], quality) for quality, policy in EVERYTHING_ELSE}

    assert all_told(model, size=row["ratio"]) == expected
    assert all_told(model, aspect_ratio=row["ratio"]) == expected
    assert all_told(model, aspect_ratio=row["ratio"], size="auto") == expected


@pytest.mark.parametrize("model", FAMILIES)
@pytest.mark.parametrize("tier", ["512", "0.5K", "1K", "2K", "4K"])
@pytest.mark.parametrize("row", RATIOS, ids=lambda row: row["ratio"])
def test_a_ratio_and_a_tier_are_had_exactly_or_not_at_all(row: dict[str, str], tier: str, model: str) -> None:
    """However they are spelt: OpenAI's field with ours beside it, or Gemini's own words."""
    ratio, family = row["ratio"], FAMILIES[model]
    word = by_word(tier, family, None)
    expected = REFUSED if REFUSED in {word, by_ratio(row, family, None)} else (ratio, word[1], None)
    config = {"aspect_ratio": ratio, "image_size": tier}
    sent = {"model": model, "prompt": "a fox", "image_config": config, "size": "auto", "quality": "low"}
    native = read_tree(sent, ImagesRequest).media

    assert told(model, size=tier, aspect_ratio=ratio) == expected
    assert told(model, size=ratio, image_size=tier) == expected
    assert told(model, aspect_ratio=ratio, image_size=tier, quality="max") == expected
    if expected == REFUSED:
        with pytest.raises(InvalidRequest, match="It has: "):
            image_order(native, TERMS)
    else:
        assert image_order(native, TERMS).frame == Frame(Ratio(ratio), Resolution(word[1]) if word[1] else None)


@pytest.mark.parametrize(
    ("model", "column", "tier"),
    [
        *(("gemini-3.1-flash-image", tier, tier) for tier in ("512", "1K", "2K", "4K")),
        *(("gemini-3-pro-image", tier, tier) for tier in ("1K", "2K", "4K")),
        *(("gemini-nano-banana-2.1", tier, tier) for tier in ("1K", "2K", "4K")),
        ("gemini-3.1-flash-lite-image", "1K", None),
        ("gemini-2.5-flash-image", "2.5", None),
    ],
)
def test_a_size_that_gemini_draws_is_what_gemini_is_asked_for(model: str, column: str, tier: str | None) -> None:
    """Its odd pixels are within the tolerance of every policy, so `cover` does not pay for the next finer tier."""
    drawn = [row for row, known in zip(DRAWN, RATIOS, strict=True) if known[FAMILIES[model]] == "yes"]

    for row, policy in product(drawn, POLICIES):
        exact = row[column] if policy == "exact" else None
        assert told(model, size=row[column], size_policy=policy) == (row["ratio"], tier, exact)


@pytest.mark.parametrize("model", [model for model, family in FAMILIES.items() if family != "flow"])
def test_the_frame_is_what_reaches_gemini(model: str) -> None:
    """`imageConfig` with the ratio and the tier as they stand in the tables, and no empty one."""
    family = FAMILIES[model]
    wishes = [(row["size"], by_pixels(row, family, None)) for row in PIXELS]
    wishes += [(row["ratio"], by_ratio(row, family, None)) for row in RATIOS]
    wishes += [(size, by_word(size, family, None)) for size in ("auto", "512", "0.5K", "1K", "2K", "4K")]

    for size, expected in wishes:
        if expected == REFUSED:
            continue
        order = ordered(model, size=size)
        sent = msgspec.json.decode(msgspec.json.encode(gemini.image_request(order, (), 0)))
        named = {"aspectRatio": expected[0], "imageSize": expected[1]}
        frame = {key: word for key, word in named.items() if word is not None}
        config = {"responseModalities": ["IMAGE"], **({"imageConfig": frame} if frame else {})}
        assert sent["generationConfig"] == config


def test_the_old_model_is_never_sent_a_tier_and_the_young_one_wants_512_without_a_letter() -> None:
    """`gemini.md` section 1.1, said once without a table."""
    young = gemini.image_request(ordered("gemini-3.1-flash-image", size="0.5K"), (), 0)
    old = gemini.image_request(ordered("gemini-2.5-flash-image", size="1K", quality="max"), (), 0)

    assert b'"imageConfig":{"imageSize":"512"}' in msgspec.json.encode(young)
    assert b"imageConfig" not in msgspec.json.encode(old)


@pytest.mark.parametrize("model", ["flow-gem-pix", "flow-gem-pix-2"])
def test_the_frame_is_what_reaches_flow(model: str) -> None:
    """`imageAspectRatio` in Flow's words; tiers do not exist there."""
    words = {row["ratio"]: row["flow"] for row in RATIOS}
    wishes = [(row["size"], row["flow"]) for row in PIXELS]
    wishes += [(row["ratio"], row["ratio"]) for row in RATIOS if row["flow"] != "no"]

    for size, ratio in wishes:
        order = ordered(model, size=size, quality="max")
        assert order.frame.ratio is not None
        [sent] = flow.images_request(order, order.frame.ratio, (), [7], ";1").requests
        assert sent.image_aspect_ratio == words[ratio]
        assert b"2K" not in msgspec.json.encode(sent)


@pytest.mark.parametrize("model", FAMILIES)
def test_the_operators_policy_holds_where_the_request_has_none(model: str) -> None:
    """And the request's own wins."""
    for policy in ("nearest", "cover", "exact"):
        request = MediaRequest(model=model, prompt="a fox", size="1536x1024")
        by_operator = image_order(request, context(size_policy=SizePolicy(policy)))
        by_request = image_order(msgspec.structs.replace(request, size_policy=policy), TERMS)
        assert by_operator == by_request
        assert by_operator.exact == (Pixels(1536, 1024) if policy == "exact" else None)

"""The catalogue as shipped: what each name means and what each model may be asked for."""

from contextlib import nullcontext
from pathlib import Path

import msgspec
import pytest

from adapter.domain.catalogue import Catalogue, CatalogueFile, ImageCard, LengthPolicy, Listing, VideoCard
from adapter.domain.media import Frame, Pixels, Ratio, Resolution, Shape, SizePolicy
from adapter.domain.orders import VideoInput
from adapter.errors import InvalidRequest, UnknownModel
from adapter.providers.vertex.settings import VertexSettings
from adapter.settings import Settings, load_catalogue
from tests.support import CONFIG, ROOT, catalogue

CATALOGUE = catalogue()


def test_an_alias_does_not_let_in_names_of_any_length() -> None:
    """They would be repeated in every chunk of an answer and kept with every job."""
    assert catalogue().find(f"gpt-image-{'x' * 118}").card.name == "gemini-nano-banana-2.1"
    with pytest.raises(UnknownModel):
        catalogue().find(f"gpt-image-{'x' * 119}")


@pytest.mark.parametrize(
    ("name", "leads_to"),
    [
        ("gemini-3-pro-image", "gemini-3-pro-image"),
        ("gemini-3-pro-image-preview", "gemini-3-pro-image"),
        ("gemini-2.5-flash-image-preview", "gemini-2.5-flash-image"),
        ("gpt-image-1", "gemini-nano-banana-2.1"),
        ("gpt-image-2-2026-04-21", "gemini-nano-banana-2.1"),
        ("chatgpt-image-latest", "gemini-nano-banana-2.1"),
        ("dall-e-2", "gemini-nano-banana-2.1"),
        ("dall-e-3", "gemini-nano-banana-2.1"),
        ("nano-banana-2.1", "gemini-nano-banana-2.1"),
        ("nano-banana-2", "gemini-3.1-flash-image"),
        ("nano-banana-pro", "gemini-3-pro-image"),
        ("nano-banana", "gemini-2.5-flash-image"),
        ("sora-2-pro", "veo-3.1-fast"),
        ("GEM_PIX_2", "flow-gem-pix-2"),
        ("veo_3_1_t2v_fast", "veo-3.1-fast"),
    ],
)
def test_every_kind_of_name_leads_to_its_model(name: str, leads_to: str) -> None:
    """Public names, seed names, other vendors' names and raw upstream names are understood."""
    model = CATALOGUE.find(name)

    assert (model.name, model.card.name) == (name, leads_to)


@pytest.mark.parametrize(
    ("name", "ratio"),
    [
        ("veo-3.1-fast-portrait", Ratio.PORTRAIT),
        ("flow-gem-pix-square", Ratio.SQUARE),
        ("gemini-3-pro-image-landscape", Ratio.LANDSCAPE),
        ("veo_3_1_t2v_fast_portrait", Ratio.PORTRAIT),
    ],
)
def test_a_name_can_ask_for_a_shape(name: str, ratio: Ratio) -> None:
    """Front-ends that can choose a model and nothing else choose a shape with it."""
    assert CATALOGUE.find(name).ratio is ratio


@pytest.mark.parametrize(
    ("listing", "there", "missing"),
    [
        (Listing.PLAIN, {"veo-3.1-fast", "gemini-3-pro-image"}, {"veo-3.1-fast-portrait", "GEM_PIX", "dall-e-3"}),
        (
            Listing.VARIANTS,
            {"veo-3.1-fast", "veo-3.1-fast-portrait", "veo-3.1-fast-landscape"},
            {"veo-3.1-fast-square", "GEM_PIX", "dall-e-3", "gemini-3-pro-image-preview"},
        ),
        (
            Listing.ALL,
            {"veo-3.1-fast-portrait", "GEM_PIX", "veo_3_1_t2v_fast", "dall-e-3", "gemini-3-pro-image-preview"},
            {"gpt-image-*", "sora-2*"},
        ),
    ],
)
def test_a_list_has_the_names_that_it_is_to_have(listing: Listing, there: set[str], missing: set[str]) -> None:
    """Each name once, and each leads to what is listed under it."""
    models = CATALOGUE.listed(listing)
    names = [model.name for model in models]

    assert there <= set(names)
    assert not missing & set(names)
    assert len(names) == len(set(names))
    assert [CATALOGUE.find(name) for name in names] == models


def test_a_plain_list_has_one_name_for_each_card() -> None:
    """A menu is short."""
    plain = CATALOGUE.listed(Listing.PLAIN)

    assert [model.name for model in plain] == list(dict.fromkeys(model.card.name for model in CATALOGUE.models))


def test_an_alias_leads_to_the_first_model_that_is_served() -> None:
    """Who has only a Flow account runs unchanged OpenAI code as well."""
    file = msgspec.convert(msgspec.toml.decode((ROOT / "config" / "models.toml").read_bytes()), CatalogueFile)

    assert Catalogue(file).find("gpt-image-1").card.name == "gemini-nano-banana-2.1"
    assert Catalogue(file.only({"flow"})).find("gpt-image-1").card.name == "flow-gem-pix-2"
    assert Catalogue(file.only({"flow"})).find("dall-e-2").card.name == "flow-gem-pix"
    with pytest.raises(UnknownModel):
        Catalogue(file.only({"gemini"})).find("sora-2")


def test_an_alias_survives_a_catalogue_from_which_rows_were_taken() -> None:
    """An operator may have no access to the newest model."""
    file = msgspec.convert(msgspec.toml.decode((ROOT / "config" / "models.toml").read_bytes()), CatalogueFile)
    older = tuple(card for card in file.image if card.name != "gemini-nano-banana-2.1")
    fewer = Catalogue(msgspec.structs.replace(file, image=older).only({"gemini", "flow"}))

    assert fewer.find("gpt-image-1").card.name == "gemini-3.1-flash-image"
    assert fewer.find("dall-e-2").card.name == "gemini-3.1-flash-lite-image"


#: Models that Google has an end for, or has replaced at half the price (`nano-banana-2.1.md` section 1).
RETIRING = {"gemini-2.5-flash-image", "gemini-3.1-flash-image"}


@pytest.mark.parametrize("name", ["gpt-image-1", "gpt-image-1-mini", "chatgpt-image-latest", "dall-e-2", "dall-e-3"])
def test_no_name_of_another_vendor_leads_to_a_model_that_retires(name: str) -> None:
    """And the retiring ones stay under their own names."""
    assert CATALOGUE.find(name).card.name not in RETIRING
    assert {CATALOGUE.find(old).card.name for old in RETIRING} == RETIRING


def test_an_unknown_name_is_an_error_that_lists_the_known_ones() -> None:
    """Nothing is guessed."""
    with pytest.raises(UnknownModel, match=r"'gemini-9' does not exist.*veo-3\.1-fast"):
        CATALOGUE.find("gemini-9")


def test_a_picture_model_is_not_asked_for_videos() -> None:
    """The error says which ones to ask instead."""
    with pytest.raises(InvalidRequest, match=r"makes images, not videos.*: veo-3\.1-fast"):
        CATALOGUE.find_card("gemini-3-pro-image", VideoCard)
    with pytest.raises(InvalidRequest, match="makes videos, not images"):
        CATALOGUE.find_card("veo-3.1-fast", ImageCard)


@pytest.mark.parametrize(
    ("model", "size", "frame"),
    [
        ("gemini-3.1-flash-image", Pixels(1024, 1024), Frame(Ratio.SQUARE, Resolution.ONE)),
        ("gemini-3.1-flash-image", Pixels(1536, 1024), Frame(Ratio.R3_2, Resolution.ONE)),
        ("gemini-3.1-flash-image", Pixels(1024, 1536), Frame(Ratio.R2_3, Resolution.ONE)),
        ("gemini-3.1-flash-image", Pixels(1792, 1024), Frame(Ratio.LANDSCAPE, Resolution.ONE)),
        ("gemini-3.1-flash-image", Pixels(2048, 2048), Frame(Ratio.SQUARE, Resolution.TWO)),
        ("gemini-3.1-flash-image", Pixels(3840, 2160), Frame(Ratio.LANDSCAPE, Resolution.TWO)),
        ("gemini-3.1-flash-image", Pixels(256, 256), Frame(Ratio.SQUARE, Resolution.HALF)),
        ("gemini-3.1-flash-image", Pixels(256, 2048), Frame(Ratio.R1_8, Resolution.ONE)),
        ("gemini-3-pro-image", Pixels(256, 2048), Frame(Ratio.PORTRAIT, Resolution.ONE)),
        ("gemini-2.5-flash-image", Pixels(4096, 4096), Frame(Ratio.SQUARE, None)),
        ("flow-gem-pix", Pixels(1536, 1024), Frame(Ratio.LANDSCAPE, None)),
        ("flow-gem-pix", Pixels(1024, 1024), Frame(Ratio.SQUARE, None)),
    ],
)
def test_a_size_in_pixels_becomes_the_nearest_frame_that_the_model_has(model: str, size: Pixels, frame: Frame) -> None:
    """The table of `gemini.md` section 4: nearest ratio by look, nearest resolution by area, clamped to the model."""
    card, _ = CATALOGUE.find_card(model, ImageCard)

    assert card.frame(Shape(pixels=size)) == frame


@pytest.mark.parametrize(
    ("size", "near", "covering"),
    [
        (Pixels(1024, 1024), Resolution.ONE, Resolution.ONE),
        (Pixels(1050, 1050), Resolution.ONE, Resolution.ONE),
        (Pixels(1060, 1060), Resolution.ONE, Resolution.TWO),
        (Pixels(1264, 848), Resolution.ONE, Resolution.ONE),
        (Pixels(1536, 1024), Resolution.ONE, Resolution.TWO),
        (Pixels(3840, 2160), Resolution.TWO, Resolution.FOUR),
        (Pixels(16384, 16384), Resolution.FOUR, Resolution.FOUR),
        (Pixels(16, 16), Resolution.HALF, Resolution.HALF),
        (Pixels(16, 16384), Resolution.HALF, Resolution.FOUR),
    ],
)
def test_a_policy_decides_between_near_and_at_least_as_fine(
    size: Pixels, near: Resolution, covering: Resolution
) -> None:
    """`exact` covers, so that nothing has to be blown up; beyond the finest there is only the finest."""
    card, _ = CATALOGUE.find_card("gemini-3.1-flash-image", ImageCard)
    shape = Shape(pixels=size)

    assert card.frame(shape) == card.frame(shape, SizePolicy.NEAREST)
    assert card.frame(shape, SizePolicy.NEAREST).resolution is near
    assert card.frame(shape, SizePolicy.COVER).resolution is covering
    assert card.frame(shape, SizePolicy.EXACT) == card.frame(shape, SizePolicy.COVER)


def test_the_order_of_a_cards_resolutions_does_not_matter() -> None:
    """An operator may write them as they come; the coarsest that covers is the cheapest."""
    card, _ = CATALOGUE.find_card("gemini-3.1-flash-image", ImageCard)
    shuffled = msgspec.structs.replace(
        card, resolutions=(Resolution.FOUR, Resolution.HALF, Resolution.TWO, Resolution.ONE)
    )

    for policy in SizePolicy:
        for edge in (300, 1000, 1500, 3000, 9000):
            shape = Shape(pixels=Pixels(edge, edge))
            assert shuffled.frame(shape, policy) == card.frame(shape, policy)


@pytest.mark.parametrize("policy", list(SizePolicy))
def test_a_size_and_a_ratio_that_is_not_its_nearest_are_refused(policy: SizePolicy) -> None:
    """Whichever won, the other would be dropped in silence."""
    card, _ = CATALOGUE.find_card("gemini-3-pro-image", ImageCard)

    with pytest.raises(
        InvalidRequest,
        match="The size '1536x1024' and the ratio 16:9 contradict each other: '1536x1024' is nearer to 3:2",
    ):
        card.frame(Shape(pixels=Pixels(1536, 1024), ratio=Ratio.LANDSCAPE), policy)
    assert card.frame(Shape(pixels=Pixels(1536, 1024), ratio=Ratio.R3_2), policy).ratio is Ratio.R3_2


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        ("flow-gem-pix", Shape(ratio=Ratio.R4_3)),
        ("gemini-3-pro-image", Shape(ratio=Ratio.R1_8)),
        ("gemini-2.5-flash-image", Shape(resolution=Resolution.TWO)),
        ("gemini-3-pro-image", Shape(resolution=Resolution.HALF)),
    ],
)
def test_a_named_ratio_or_resolution_that_the_model_lacks_is_refused(model: str, shape: Shape) -> None:
    """Who names a frame exactly gets it exactly, or an error that names what there is."""
    card, _ = CATALOGUE.find_card(model, ImageCard)

    with pytest.raises(InvalidRequest, match="It has: "):
        card.frame(shape)


def test_fineness_comes_as_near_as_the_model_can() -> None:
    """A quality is a wish, clamped without complaint."""
    fine = Shape(fineness=Resolution.FOUR)

    assert CATALOGUE.find_card("gemini-3-pro-image", ImageCard)[0].frame(fine) == Frame(None, Resolution.FOUR)
    assert CATALOGUE.find_card("gemini-2.5-flash-image", ImageCard)[0].frame(fine) == Frame()


@pytest.mark.parametrize(
    ("shape", "ratio", "key"),
    [
        (Shape(), Ratio.LANDSCAPE, "veo_3_1_t2v_fast"),
        (Shape(ratio=Ratio.PORTRAIT), Ratio.PORTRAIT, "veo_3_1_t2v_fast_portrait"),
        (Shape(pixels=Pixels(720, 1280)), Ratio.PORTRAIT, "veo_3_1_t2v_fast_portrait"),
        (Shape(pixels=Pixels(1280, 720)), Ratio.LANDSCAPE, "veo_3_1_t2v_fast"),
    ],
)
def test_the_card_chooses_the_video_model_key(shape: Shape, ratio: Ratio, key: str) -> None:
    """The seed's table of orientation and key."""
    card, _ = CATALOGUE.find_card("veo-3.1-fast", VideoCard)

    assert card.choose(shape) == (ratio, key)


def test_a_square_video_is_refused() -> None:
    """Flow makes landscape and portrait videos; neither is passed off as a square."""
    card, _ = CATALOGUE.find_card("veo-3.1-fast", VideoCard)

    with pytest.raises(InvalidRequest, match="It has: 16:9, 9:16"):
        card.choose(Shape(ratio=Ratio.SQUARE))


def test_models_of_a_provider_that_is_not_configured_are_not_offered() -> None:
    """Without Flow there are no Flow models, and no alias leads to one."""
    only_gemini = Settings(providers={"gemini": CONFIG.providers["gemini"]})
    offered = load_catalogue(Path("config/adapter.toml"), only_gemini)

    assert all(model.card.provider == "gemini" for model in offered.models)
    with pytest.raises(UnknownModel):
        offered.find("sora-2")


def test_a_model_of_several_providers_is_served_by_the_first_that_is_configured() -> None:
    """Only Google Cloud: the same names, and other vendors' names, lead there. With both, the Gemini API is first."""
    vertex = VertexSettings(project="mine", credential="plain:x")
    only_vertex = load_catalogue(Path("config/adapter.toml"), Settings(providers={"vertex": vertex}))
    both = load_catalogue(
        Path("config/adapter.toml"), Settings(providers={"vertex": vertex, "gemini": CONFIG.providers["gemini"]})
    )

    assert {only_vertex.find(name).card.provider for name in ("nano-banana-pro", "gpt-image-1")} == {"vertex"}
    assert both.find("gpt-image-1").card.provider == "gemini"


def test_two_models_of_one_name_are_a_mistake() -> None:
    """A name means one thing."""
    card = CATALOGUE.find("flow-gem-pix").card
    assert isinstance(card, ImageCard)

    with pytest.raises(ValueError, match="two models are called 'flow-gem-pix'"):
        Catalogue(CatalogueFile(image=(card, card)))


def test_a_video_model_has_a_size_for_each_of_its_shapes() -> None:
    """Else a video would be told to be of a size that it is not; found when the file is read."""
    card, _ = CATALOGUE.find_card("veo-3.1-fast", VideoCard)
    row = msgspec.to_builtins(card, str_keys=True)
    del row["sizes"]["9:16"]

    assert {ratio for names in card.upstream.values() for ratio in names} == set(card.sizes)
    with pytest.raises(msgspec.ValidationError, match=r"'veo-3\.1-fast' has no size for 9:16"):
        msgspec.convert(row, VideoCard)


@pytest.mark.parametrize(
    ("asked", "made"),
    [(None, 8), (8, 8), (4.0, 4), (1, 4), (5, 4), (6, 8), (7, 8), (9, 8), (10, 12), (20, 12), (0.5, 4)],
)
def test_the_nearest_length_is_one_that_the_card_has(asked: float | None, made: int) -> None:
    """Of two that are as near the longer one."""
    card, _ = CATALOGUE.find_card("veo-3.1-fast", VideoCard)
    several = msgspec.structs.replace(card, lengths=(4, 8, 12))

    assert several.length(asked, LengthPolicy.NEAREST, "seconds") == made
    if asked in {None, *several.lengths}:
        assert several.length(asked, LengthPolicy.EXACT, "seconds") == made
    else:
        with pytest.raises(InvalidRequest, match="makes videos of 4 or 8 or 12 seconds only") as caught:
            several.length(asked, LengthPolicy.EXACT, "duration")
        assert caught.value.param == "duration"


@pytest.mark.parametrize("asked", [0, -4])
def test_no_length_is_near_to_none(asked: float) -> None:
    """It is a mistake, whatever the policy."""
    card, _ = CATALOGUE.find_card("veo-3.1-fast", VideoCard)

    with pytest.raises(InvalidRequest, match="8 seconds only"):
        card.length(asked, LengthPolicy.NEAREST, "seconds")


def test_a_row_may_say_one_length_or_several() -> None:
    """Rows of an older file have `seconds` alone; a default that is none of the lengths is found when it is read."""
    card, _ = CATALOGUE.find_card("veo-3.1-fast", VideoCard)
    row = msgspec.to_builtins(card, str_keys=True)
    del row["lengths"]

    assert msgspec.convert(row, VideoCard).length(None, LengthPolicy.EXACT, "seconds") == 8
    with pytest.raises(msgspec.ValidationError, match="'seconds' that are none of its 'lengths'"):
        msgspec.convert({**row, "lengths": [4, 6]}, VideoCard)


def test_a_name_of_another_vendor_is_known_as_one() -> None:
    """Ours, variants and Google's own are not."""
    names = ("sora-2", "sora-2-pro", "veo-3.1-fast", "veo-3.1-fast-portrait", "veo_3_1_t2v_fast")

    assert [name for name in names if CATALOGUE.find(name).is_foreign] == ["sora-2", "sora-2-pro"]


def test_a_size_and_a_ratio_that_contradict_each_other_are_refused() -> None:
    """Of a video as of a picture: neither wish is dropped in silence."""
    card, _ = CATALOGUE.find_card("veo-3.1-fast", VideoCard)

    assert card.choose(Shape(ratio=Ratio.PORTRAIT, pixels=Pixels(720, 1280)))[0] is Ratio.PORTRAIT
    with pytest.raises(
        InvalidRequest,
        match="The size '1280x720' and the ratio 9:16 contradict each other: '1280x720' is nearer to 16:9",
    ):
        card.choose(Shape(ratio=Ratio.PORTRAIT, pixels=Pixels(1280, 720)))


OMNI, _ = CATALOGUE.find_card("gemini-omni-1.2-flash", VideoCard)


@pytest.mark.parametrize(
    ("word", "resolution"),
    [("720p", "720p"), ("1080", "1080p"), ("4K", "4k"), ("2160p", "4k"), ("8K", None), ("", None)],
)
def test_a_resolution_of_a_video_has_several_spellings(word: str, resolution: str | None) -> None:
    """As clients write them."""
    assert OMNI.resolution(word) == resolution


@pytest.mark.parametrize(
    ("size", "resolution"),
    [("640x480", "360p"), ("1280x720", "720p"), ("1024x1792", "1080p"), ("1920x1080", "1080p"), ("3840x2160", "4k")],
)
def test_a_size_in_pixels_means_the_resolution_with_the_nearest_short_side(size: str, resolution: str) -> None:
    """OpenAI's sizes lie between those of the model."""
    pixels = Pixels.parse(size)

    assert pixels is not None
    assert OMNI.nearest_resolution(pixels) == resolution


def test_a_kind_of_video_may_have_lengths_of_its_own() -> None:
    """With a last frame the longest one is shorter; the message says of what."""
    assert OMNI.length(15, LengthPolicy.EXACT, "seconds") == 15
    assert OMNI.length(15, LengthPolicy.NEAREST, "seconds", VideoInput.FRAMES) == 10
    with pytest.raises(InvalidRequest, match="from a first and a last frame of 3 to 10 seconds only"):
        OMNI.length(15, LengthPolicy.EXACT, "seconds", VideoInput.FRAMES)


def test_the_resolutions_of_a_model_are_told_from_coarse_to_fine() -> None:
    """As messages tell them."""
    assert OMNI.resolutions == ("360p", "720p", "1080p", "4k")


@pytest.mark.parametrize(
    ("providers", "leads_to"),
    [(("gemini", "omni"), "gemini-omni-1.2-flash"), (("flow", "omni"), "veo-3.1-fast"), (("flow",), "veo-3.1-fast")],
)
def test_soras_name_leads_to_omni_where_there_is_no_flow(providers: tuple[str, ...], leads_to: str) -> None:
    """The first choice is the one whose provider is configured."""
    file = msgspec.toml.decode((ROOT / "config" / "models.toml").read_bytes(), type=CatalogueFile)

    assert Catalogue(file.only(providers)).find("sora-2-pro").card.name == leads_to


LITE, _ = CATALOGUE.find_card("veo-3.1-lite", VideoCard)
QUALITY, _ = CATALOGUE.find_card("veo-3.1-quality", VideoCard)


@pytest.mark.parametrize(
    ("card", "kind", "seconds", "ratio", "key"),
    [
        (LITE, VideoInput.TEXT, 8, Ratio.PORTRAIT, "veo_3_1_t2v_lite"),
        (LITE, VideoInput.TEXT, 4, Ratio.PORTRAIT, "veo_3_1_t2v_lite_4s"),
        (LITE, VideoInput.FRAME, 6, Ratio.LANDSCAPE, "veo_3_1_i2v_s_lite_6s"),
        (LITE, VideoInput.FRAMES, 8, Ratio.LANDSCAPE, "veo_3_1_interpolation_lite"),
        (QUALITY, VideoInput.TEXT, 8, Ratio.PORTRAIT, "veo_3_1_t2v_portrait"),
        (QUALITY, VideoInput.FRAME, 8, Ratio.PORTRAIT, "veo_3_1_i2v_s_portrait"),
        (QUALITY, VideoInput.FRAMES, 4, Ratio.PORTRAIT, "veo_3_1_i2v_s_quality_4s_fl"),
    ],
)
def test_a_length_may_have_names_of_its_own(
    card: VideoCard, kind: VideoInput, seconds: int, ratio: Ratio, key: str
) -> None:
    """As Flow's models have; the others are those of the usual length."""
    assert card.choose(Shape(ratio=ratio), kind, seconds) == (ratio, key)


@pytest.mark.parametrize(
    ("changes", "is_whole"),
    [
        ({"next_clips": True}, True),
        ({"next_clips": False}, False),
        ({"longest_extended": 40}, False),
        ({"next_clips": False, "longest_extended": 40}, True),
        ({"upstream": {VideoInput.TEXT: LITE.upstream[VideoInput.TEXT]}}, False),
    ],
)
def test_a_model_extends_in_one_way(changes: dict[str, object], *, is_whole: bool) -> None:
    """By clips of their own or to a longest one, if it has names for that."""
    with nullcontext() if is_whole else pytest.raises(ValueError, match="one of 'longest_extended' and 'next_clips'"):
        msgspec.structs.replace(LITE, **changes)


def test_the_fast_model_has_a_row_for_shorter_clips() -> None:
    """A name of Flow leads to it, with its length."""
    card, _ = CATALOGUE.find_card("veo_3_1_i2v_s_fast_4s_fl", VideoCard)

    assert (card.name, card.lengths) == ("veo-3.1-fast-short", (4,))
    assert CATALOGUE.find_card("veo_3_1_t2v_fast_6s", VideoCard)[0].lengths == (4, 6)


def test_a_raw_name_may_say_a_length_and_leave_the_shape_open() -> None:
    """Who migrates with such a name gets that length, in either shape."""
    model = CATALOGUE.find("veo_3_1_t2v_lite_4s")
    card, ratio = CATALOGUE.find_card("veo_3_1_t2v_lite_4s", VideoCard)

    assert (model.card.name, ratio) == ("veo-3.1-lite", None)
    assert card.length(None, LengthPolicy.EXACT, "seconds") == 4
    with pytest.raises(InvalidRequest, match="4 seconds only"):
        card.length(8, LengthPolicy.EXACT, "seconds")


def test_a_kind_of_video_has_the_lengths_for_which_it_has_a_name() -> None:
    """Here references are made in 8 seconds only, and texts in 4 as well."""
    card, _ = CATALOGUE.find_card("veo-3.1-fast", VideoCard)
    short = {VideoInput.TEXT: {Ratio.LANDSCAPE: "short"}}
    both = msgspec.structs.replace(card, lengths=(4, 8), upstream_of_length={"4s": short})

    assert both.length(4, LengthPolicy.EXACT, "seconds") == 4
    assert both.length(4, LengthPolicy.NEAREST, "seconds", VideoInput.REFERENCES) == 8
    with pytest.raises(InvalidRequest, match="from reference pictures of 8 seconds only"):
        both.length(4, LengthPolicy.EXACT, "seconds", VideoInput.REFERENCES)


@pytest.mark.parametrize("length", ["5s", "8s", "4"])
def test_names_of_a_length_that_is_none_are_found_when_the_file_is_read(length: str) -> None:
    """The usual length has its names in `upstream`."""
    row = msgspec.to_builtins(LITE, str_keys=True)
    row["upstream_of_length"] = {length: row["upstream_of_length"]["4s"]}

    with pytest.raises(msgspec.ValidationError, match=f"upstream_of_length.{length}'; allowed here: 4s, 6s"):
        msgspec.convert(row, VideoCard)

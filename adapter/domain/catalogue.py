"""What is on offer: one card per model, and the many names that lead to it."""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import ClassVar, Literal, TypeVar

import msgspec

from adapter.domain.allowance import UNLIMITED, Allowance
from adapter.domain.media import Frame, Pixels, Ratio, Resolution, Shape, SizePolicy
from adapter.domain.orders import FROM_VIDEOS, VideoInput
from adapter.domain.prices import ImagePrice, Quote, TextPrice, VideoPrice, check_dates
from adapter.domain.thinking import ThinkingLevel
from adapter.errors import InvalidRequest, ModelForbidden, UnknownModel

#: Name endings that fix a shape, for front-ends that can choose a model and nothing else.
VARIANTS = {"landscape": Ratio.LANDSCAPE, "portrait": Ratio.PORTRAIT, "square": Ratio.SQUARE}


class Listing(StrEnum):
    """Which names a list of the models has. Every other name can be used as well."""

    #: One name for each model.
    PLAIN = "plain"
    #: Those with an ending for a shape too (`VARIANTS`).
    VARIANTS = "variants"
    #: Also former names, the providers' own, and other vendors' names as far as they are no patterns.
    ALL = "all"


#: Kinds of videos in messages.
WORDS = {
    VideoInput.TEXT: "text",
    VideoInput.FRAME: "a first frame",
    VideoInput.FRAMES: "a first and a last frame",
    VideoInput.REFERENCES: "reference pictures",
    VideoInput.EDIT: "an earlier video",
    VideoInput.EXTEND: "the end of an earlier video",
    VideoInput.UPSCALE: "a coarser video",
}

#: What makes a pattern of an alias (`fnmatch`).
_PATTERN = set("*?[")

#: Beyond this a size is not a variant of a shape but another one: a square is 0.58 from 16:9, 3:2 is 0.17.
FAR_FROM_A_SHAPE = 0.25

#: Characters of a name that an alias with a `*` lets in: it is repeated in every answer, and kept with every job.
LONGEST_NAME = 128


class LengthPolicy(StrEnum):
    """What a length is worth that a model does not make."""

    #: The nearest one that it makes.
    NEAREST = "nearest"
    #: A refusal.
    EXACT = "exact"


class ImageCard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model that makes pictures."""

    kind: ClassVar[str] = "image"

    #: The public name.
    name: str
    #: Which provider serves it, by the provider's name in the configuration.
    provider: str
    #: Others that serve it under the same name. The first one that is configured does, and `provider` is before them.
    also: tuple[str, ...] = ()
    #: The provider's own name of the model.
    upstream: str
    released: date
    #: When Google switches it off, where that is known.
    retires: date | None = None
    ratios: tuple[Ratio, ...]
    #: What may be asked for. A single one leaves nothing to ask, so the upstream's parameter is then not sent.
    resolutions: tuple[Resolution, ...] = (Resolution.ONE,)
    #: How many pictures it works from at most; 0: from text alone.
    inputs: int = 0
    #: The formats in which it takes them.
    input_formats: tuple[Literal["png", "jpeg", "webp", "heic", "heif"], ...] = ("png", "jpeg")
    #: Whether its content filters can be switched off, as far as they are adjustable.
    lenient: bool = False
    #: Whether it signs its pictures, and takes a conversation in which they come back with their signatures.
    signs: bool = False
    #: How long it can be told to think before it draws; empty: that cannot be chosen.
    thinking: tuple[ThinkingLevel, ...] = ()
    #: Whether it can search the web before it draws.
    grounding: bool = False
    #: A text model of Gemini that writes titles and the like in chats with this model; empty: `chat.side_call_model`.
    side_calls: str = ""
    aliases: tuple[str, ...] = ()
    #: What it costs, in no order: the newest price that has begun counts.
    prices: tuple[ImagePrice, ...] = ()

    def __post_init__(self) -> None:
        check_dates(self.prices)
        priced = {resolution for price in self.prices for resolution in price.picture}
        _check_priced(self.name, priced - set(self.resolutions))

    @property
    def takes(self) -> tuple[str, ...]:
        """What it works from."""
        return ("text", "image") if self.inputs else ("text",)

    def quotes(self, resolution: Resolution | None) -> tuple[Quote, ...]:
        """Return what a picture costs; one of the upstream's own resolution if none is asked for."""
        return tuple(price.quote(resolution or self.usual_resolution) for price in self.prices)

    @property
    def usual_resolution(self) -> Resolution:
        """The one where a request does not say (`gemini.md` section 1.1: without a size it is 1K)."""
        return Resolution.ONE if Resolution.ONE in self.resolutions else self.resolutions[0]

    def frame(self, shape: Shape, policy: SizePolicy = SizePolicy.NEAREST) -> Frame:
        """Choose what to ask the upstream for.

        A named ratio or resolution is taken exactly or refused. No model of this kind makes an exact size in pixels:
        such a size becomes the ratio that looks most alike, and a resolution as `policy` has it. The answer reports the
        picture's real size (reference: `gemini.md` section 4).

        Raises:
            InvalidRequest: a ratio or resolution that the model does not have, or a size of another ratio.
        """
        if shape.ratio is not None and shape.ratio not in self.ratios:
            raise _not_offered(f"ratio '{shape.ratio}'", self.name, self.ratios, param="aspect_ratio")
        if shape.resolution is not None and shape.resolution not in self.resolutions:
            raise _not_offered(f"resolution '{shape.resolution}'", self.name, self.resolutions, param="resolution")
        ratio, resolution = shape.ratio, shape.resolution
        if shape.pixels is not None:
            nearest = min(self.ratios, key=shape.pixels.distance)
            _check_nearest(shape, nearest)
            ratio = nearest
            near = policy is SizePolicy.NEAREST
            resolution = self._nearest(shape.pixels.edge) if near else self._covering(shape.pixels, nearest)
        elif shape.fineness is not None:
            resolution = self._nearest(shape.fineness.edge)
        return Frame(ratio, resolution if len(self.resolutions) > 1 else None)

    def _nearest(self, edge: float) -> Resolution:
        return min(self.resolutions, key=lambda tier: abs(math.log(edge / tier.edge)))

    def _covering(self, pixels: Pixels, ratio: Ratio) -> Resolution:
        finest_last = sorted(self.resolutions, key=lambda tier: tier.edge)
        enough = (tier for tier in finest_last if pixels.fits_into(tier, ratio))
        return next(enough, finest_last[-1])


class Upscale(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A finer resolution that the provider makes of a finished clip of a model."""

    #: The provider's own name of what does it.
    upstream: str
    #: The size of a clip in pixels for each shape.
    sizes: Mapping[Ratio, Pixels]


class VideoCard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model that makes videos from a text, and from pictures."""

    kind: ClassVar[str] = "video"

    name: str
    provider: str
    #: As of a model that makes pictures.
    also: tuple[str, ...] = ()
    released: date
    #: As of a model that makes pictures.
    retires: date | None = None
    #: The provider's own model name for each shape, per kind of input.
    upstream: Mapping[VideoInput, Mapping[Ratio, str]]
    #: The size of a clip in pixels for each shape, where a request does not say a resolution.
    sizes: Mapping[Ratio, Pixels]
    #: Further resolutions that may be asked for, each with the size for each shape.
    other_sizes: Mapping[str, Mapping[Ratio, Pixels]] = {}
    #: What finished clips can be made finer to, by the resolution.
    upscales: Mapping[str, Upscale] = {}
    #: How many reference pictures it takes at most.
    references: int = 3
    #: The formats in which it takes pictures.
    input_formats: tuple[Literal["png", "jpeg", "webp", "heic", "heif"], ...] = ("png", "jpeg")
    #: Length of a clip where a request does not say, in seconds.
    seconds: int
    #: All lengths that may be asked for; empty: only that one.
    lengths: tuple[int, ...] = ()
    #: The lengths of a kind of input that has others. Of an extension it is the length of the new part.
    lengths_of: Mapping[VideoInput, tuple[int, ...]] = {}
    #: The provider's own model names for a length that has others, as in `upstream`; by the length, as `4s`. Other
    #: lengths have those of `upstream`.
    upstream_of_length: Mapping[str, Mapping[VideoInput, Mapping[Ratio, str]]] = {}
    #: How long an extended video may be in all, in seconds; 0: of a model that extends none, or by `next_clips`.
    longest_extended: int = 0
    #: Whether an extension is a clip of its own, which begins where the earlier one ends. The provider makes it of its
    #: own videos only, and asks for the workflow of the earlier one.
    next_clips: bool = False
    #: How long a video usually takes, in seconds; used until enough of our own jobs were measured.
    typical_seconds: float
    #: As of a model that makes pictures.
    side_calls: str = ""
    aliases: tuple[str, ...] = ()
    #: As of a model that makes pictures.
    prices: tuple[VideoPrice, ...] = ()

    def __post_init__(self) -> None:
        check_dates(self.prices)
        tables = (self.upstream, *self.upstream_of_length.values())
        ratios = {ratio for table in tables for names in table.values() for ratio in names}
        for sizes in (self.sizes, *self.other_sizes.values(), *(each.sizes for each in self.upscales.values())):
            if without := ratios - set(sizes):
                raise ValueError(f"the video model '{self.name}' has no size for {', '.join(sorted(without))}")
        if any(lengths and self.seconds not in lengths for lengths in (self.lengths, *self.lengths_of.values())):
            raise ValueError(f"the video model '{self.name}' has 'seconds' that are none of its 'lengths'")
        ways = (self.longest_extended > 0) + self.next_clips
        if (VideoInput.EXTEND in self.upstream) != (ways == 1) or ways > 1:
            raise ValueError(
                f"the video model '{self.name}' needs 'upstream.extend' with one of 'longest_extended' and 'next_clips'"
            )
        others = {f"{length}s" for length in self.lengths if length != self.seconds}
        if unknown := self.upstream_of_length.keys() - others:
            told, allowed = ", ".join(sorted(unknown)), ", ".join(sorted(others)) or "none"
            raise ValueError(f"the video model '{self.name}' has 'upstream_of_length.{told}'; allowed here: {allowed}")
        priced = {resolution for price in self.prices for resolution in price.second}
        _check_priced(self.name, priced - set(self.resolutions))
        _check_priced(self.name, {each for price in self.prices for each in price.upscale} - self.upscales.keys())

    def quotes_of_upscale(self, resolution: str) -> tuple[Quote, ...]:
        """Return what an upscale of a finished clip costs."""
        return tuple(price.quote_of_upscale(resolution) for price in self.prices)

    def quotes(self, resolution: str, seconds: int) -> tuple[Quote, ...]:
        """Return what a clip costs."""
        return tuple(price.quote(resolution, seconds) for price in self.prices)

    def quotes_of_next_clip(self) -> tuple[Quote, ...]:
        """Return what a clip costs that goes on from an earlier one (`next_clips`)."""
        return tuple(price.quote_of_extension() for price in self.prices)

    @property
    def resolutions(self) -> tuple[str, ...]:
        """The resolutions of its clips, the coarsest first: by their short sides, `720p`, or by their own names."""
        usual = sorted({f"{size.short}p" for size in self.sizes.values()})
        return tuple(sorted((*usual, *self.other_sizes), key=self._edge))

    @property
    def usual_resolution(self) -> str:
        """The one where a request does not say."""
        return f"{next(iter(self.sizes.values())).short}p"

    def sizes_at(self, resolution: str) -> Mapping[Ratio, Pixels]:
        """Return the size of a clip for each shape in one of the resolutions."""
        return self.other_sizes.get(resolution, self.sizes)

    def resolution(self, word: str) -> str | None:
        """Return the resolution that a word means: `720p`, `720`, `4K`, `2160p`; None if the model does not have it."""
        plain = word.lower()
        names = {name: name for name in self.resolutions}
        names |= {f"{self._edge(name)}p": name for name in self.resolutions}
        return names.get(plain) or names.get(f"{plain}p")

    def nearest_resolution(self, pixels: Pixels) -> str:
        """Return the resolution whose short side is nearest to that of a size."""
        return min(self.resolutions, key=lambda name: abs(math.log(pixels.short / self._edge(name))))

    def _edge(self, resolution: str) -> int:
        """Return the short side of a resolution, in pixels."""
        return max(size.short for size in self.sizes_at(resolution).values())

    def length(self, asked: float | None, policy: LengthPolicy, name: str, kind: VideoInput = VideoInput.TEXT) -> int:
        """Return how long a clip will be. `name` is the field that asks.

        Raises:
            InvalidRequest: the model does not make that length, and another one would not do.
        """
        lengths = self.lengths_from(kind)
        what = "makes videos" if lengths == self.lengths_from(VideoInput.TEXT) else f"makes videos from {WORDS[kind]}"
        return self._length(asked, policy, lengths, f"{what} of {_in_words(lengths)} seconds only", name)

    def extension(self, before: int, asked: float | None, policy: LengthPolicy, name: str) -> int:
        """Return by how many seconds a video of `before` seconds goes on. `name` is the field that asks.

        Raises:
            InvalidRequest: it is too long already, or the model does not make that length and another would not do.
        """
        most = self.longest_extended
        lengths = tuple(each for each in self.lengths_from(VideoInput.EXTEND) if before + each <= most)
        if not lengths:
            least = min(self.lengths_from(VideoInput.EXTEND))
            raise InvalidRequest(
                f"The model '{self.name}' extends videos by {least} seconds at least and to {most} in all; "
                f"this one has {before} already.",
                param="video",
            )
        can = f"extends this video, which has {before}, by {_in_words(lengths)} seconds, to {most} in all"
        return self._length(asked, policy, lengths, can, name)

    def _length(self, asked: float | None, policy: LengthPolicy, lengths: Sequence[int], can: str, name: str) -> int:
        if asked is None:
            return self.seconds if self.seconds in lengths else max(lengths)
        if asked in lengths:
            return int(asked)
        if policy is LengthPolicy.NEAREST and asked > 0:
            # Of two that are as near, the longer one has all that was asked for.
            return min(lengths, key=lambda length: (abs(length - asked), -length))
        raise InvalidRequest(f"The model '{self.name}' {can}.", param=name)

    def lengths_from(self, kind: VideoInput) -> tuple[int, ...]:
        """Return the lengths of clips that are made from a kind of input."""
        lengths = self.lengths_of.get(kind) or self.lengths or (self.seconds,)
        return tuple(each for each in lengths if kind in self._upstream(each)) or (self.seconds,)

    def of_length(self, length: str) -> "VideoCard":
        """Return the model as it makes clips of one length that has names of its own: such a name says the length."""
        seconds = int(length.removesuffix("s"))
        upstream = self.upstream_of_length[length]
        extends = VideoInput.EXTEND in upstream
        return msgspec.structs.replace(
            self,
            seconds=seconds,
            lengths=(seconds,),
            lengths_of={},
            upstream=upstream,
            upstream_of_length={},
            longest_extended=self.longest_extended if extends else 0,
            next_clips=self.next_clips and extends,
        )

    def _upstream(self, seconds: int) -> Mapping[VideoInput, Mapping[Ratio, str]]:
        return self.upstream_of_length.get(f"{seconds}s", self.upstream)

    @property
    def told_resolutions(self) -> str:
        """The beginning of a message that names them."""
        if not self.other_sizes:
            return f"The model '{self.name}' has one resolution, {' or '.join(self.resolutions)}"
        return f"The model '{self.name}' has the resolutions {', '.join(self.resolutions)}"

    @property
    def takes(self) -> tuple[str, ...]:
        """What it works from."""
        kinds = {*self.upstream}
        pictures = ("image",) if kinds - FROM_VIDEOS - {VideoInput.TEXT} else ()
        return ("text", *pictures, *(("video",) if kinds & FROM_VIDEOS else ()))

    @property
    def ratios(self) -> tuple[Ratio, ...]:
        """The shapes that a text can be turned into, the default first."""
        return tuple(self.upstream[VideoInput.TEXT])

    def choose(self, shape: Shape, kind: VideoInput = VideoInput.TEXT, seconds: int | None = None) -> tuple[Ratio, str]:
        """Return the ratio and the provider's model name for a video; an open ratio is the first that there is.

        `seconds` is one of the lengths that it makes from that kind of input; None: the usual one.

        Raises:
            InvalidRequest: an input that the model does not take, a ratio that it does not have for it, or a
                resolution, which none lets one choose.
        """
        names = self.names(kind, seconds)
        if shape.resolution is not None:
            raise InvalidRequest(f"{self.told_resolutions}; leave '{shape.resolution}' out.", param="resolution")
        what = "" if kind is VideoInput.TEXT else f" for a video from {WORDS[kind]}"
        ratio = shape.ratio or next(iter(names))
        if shape.pixels is not None:
            ratio = min(self.ratios, key=shape.pixels.distance)
            if shape.pixels.distance(ratio) > FAR_FROM_A_SHAPE:
                raise _not_offered(f"shape '{shape.pixels}'{what}", self.name, names)
            _check_nearest(shape, ratio)
        if ratio not in names:
            param = "aspect_ratio" if shape.pixels is None else "size"
            raise _not_offered(f"ratio '{ratio}'{what}", self.name, names, param=param)
        return ratio, names[ratio]

    def names(self, kind: VideoInput, seconds: int | None = None) -> Mapping[Ratio, str]:
        """Return the provider's model name for each shape of a kind of video (as `choose`).

        Raises:
            InvalidRequest: the model does not make that kind.
        """
        if kind not in self.upstream:
            able = ", ".join(WORDS[each] for each in self.upstream)
            raise InvalidRequest(
                f"The model '{self.name}' does not make videos from {WORDS[kind]}. It makes them from: {able}.",
                param="model",
            )
        return self._upstream(seconds or self.seconds)[kind]


class TextCard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model that writes texts. Requests are passed to its provider as they came."""

    kind: ClassVar[str] = "text"
    #: It has no shapes, and so no names with one.
    ratios: ClassVar[tuple[Ratio, ...]] = ()
    #: Its titles and the like are its own.
    side_calls: ClassVar[str] = ""

    #: The public name.
    name: str
    provider: str
    also: tuple[str, ...] = ()
    #: The provider's own name of the model.
    upstream: str
    released: date
    retires: date | None = None
    #: What it works from, for lists of the models.
    takes: tuple[str, ...] = ("text", "image")
    aliases: tuple[str, ...] = ()
    prices: tuple[TextPrice, ...] = ()

    def __post_init__(self) -> None:
        check_dates(self.prices)


Card = ImageCard | VideoCard | TextCard
_Card = TypeVar("_Card", ImageCard, VideoCard, TextCard)


class Model(msgspec.Struct, frozen=True):
    """A name that a client may use, with what it stands for."""

    name: str
    card: Card
    #: The shape that the name itself asks for (`…-portrait`).
    ratio: Ratio | None = None
    #: Whether it is another vendor's name (`sora-2`): who uses it knows that vendor's models, not these.
    is_foreign: bool = False

    @property
    def created(self) -> int:
        """When the model was released, in Unix seconds."""
        return int(datetime(*self.card.released.timetuple()[:3], tzinfo=UTC).timestamp())


class CatalogueFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`config/models.toml`."""

    image: tuple[ImageCard, ...] = ()
    video: tuple[VideoCard, ...] = ()
    text: tuple[TextCard, ...] = ()
    #: Names of other vendors' models, `*` allowed, to the names that serve them here, the first choice first.
    aliases: dict[str, tuple[str, ...]] = {}
    #: When Google switches text models off, which have no rows.
    retirements: dict[str, date] = {}

    @property
    def cards(self) -> tuple[Card, ...]:
        """All models."""
        return (*self.image, *self.video, *self.text)

    def only(self, providers: Collection[str], *, without_videos: Collection[str] = ()) -> "CatalogueFile":
        """Return what these providers serve, each row with the one that does. Some of them may serve no videos."""
        image = tuple(_served(self.image, providers))
        video = tuple(_served(self.video, [name for name in providers if name not in without_videos]))
        text = tuple(_served(self.text, providers))
        cards: tuple[Card, ...] = (*image, *video, *text)
        served = {card.name for card in cards}
        return CatalogueFile(
            image=image,
            video=video,
            text=text,
            aliases={
                pattern: known
                for pattern, targets in self.aliases.items()
                if (known := tuple(target for target in targets if target in served))
            },
            retirements=self.retirements,
        )


def _served(cards: Iterable[_Card], providers: Collection[str]) -> Iterator[_Card]:
    for card in cards:
        if (serving := _server(card, providers)) is not None:
            yield msgspec.structs.replace(card, provider=serving)


def _server(card: Card, providers: Collection[str]) -> str | None:
    return next((name for name in (card.provider, *card.also) if name in providers), None)


class Catalogue:
    """Every model by every name it answers to."""

    def __init__(self, file: CatalogueFile, allowance: Allowance = UNLIMITED) -> None:
        """Take the file, and what a key may use of it: other models are not listed, and not found."""
        self._file = file
        self._allowance = allowance
        self._listed: dict[str, Model] = {}
        self._known: dict[str, Model] = {}
        #: The cards by their own names: what an error message offers.
        self._names: dict[str, Card] = {}
        self._aliases = file.aliases
        #: Whether there are text models.
        self.has_texts = bool(file.text)
        #: When text models are switched off.
        self.retirements: Mapping[str, date] = file.retirements
        for card in file.cards:
            self._list(card)
        for pattern, targets in file.aliases.items():
            for target in targets or ("nothing",):
                if target not in self._known:
                    raise ValueError(f"alias '{pattern}' leads to '{target}', which is no model")
        if allowance.models:
            self._names = {name: card for name, card in self._names.items() if self._is_allowed(self._known[name])}
            self._listed = {name: model for name, model in self._listed.items() if self._is_allowed(model)}

    def _list(self, card: Card) -> None:
        self._names[card.name] = card
        entries = [Model(card.name, card), *variants(card)]
        for model in entries:
            if model.name in self._known:
                raise ValueError(f"two models are called '{model.name}'")
            self._listed[model.name] = self._known[model.name] = model
        for model in (*(Model(alias, card) for alias in card.aliases), *raw_names(card)):
            self._known.setdefault(model.name, model)

    def allowed_to(self, allowance: Allowance) -> "Catalogue":
        """Return the same models as a key may use them."""
        return Catalogue(self._file, allowance) if allowance.models else self

    def _is_allowed(self, model: Model) -> bool:
        return self._allowance.allows_model(model.name, model.card.name)

    @property
    def models(self) -> Iterable[Model]:
        """The public names and their shape variants."""
        return self._listed.values()

    @property
    def cards(self) -> Collection[Card]:
        """All cards, in their order."""
        return self._names.values()

    def names_of(self, card: Card) -> tuple[str, ...]:
        """Return the other names that lead to a card: its own, and other vendors'."""
        foreign = (pattern for pattern, targets in self._aliases.items() if targets[:1] == (card.name,))
        return (*card.aliases, *foreign)

    @property
    def image_cards(self) -> Sequence[ImageCard]:
        """The models that make pictures."""
        return [card for card in self._names.values() if isinstance(card, ImageCard)]

    def listed(self, listing: Listing) -> Sequence[Model]:
        """Return what a list of the models has, the names of one model together."""
        if listing is Listing.PLAIN:
            return [model for model in self._listed.values() if model.name in self._names]
        if listing is Listing.VARIANTS:
            return [*self._listed.values()]
        foreign = (self._find(name) for name in self._aliases if not _PATTERN & set(name))
        return [model for model in (*self._known.values(), *foreign) if self._is_allowed(model)]

    def find(self, name: str) -> Model:
        """Return the model of a public name, variant, alias or raw upstream name.

        Raises:
            UnknownModel: nothing of that name.
            ModelForbidden: the key may not use it.
        """
        model = self._find(name)
        if self._is_allowed(model):
            return model
        told = ", ".join(self._names) or "none"
        raise ModelForbidden(f"This key does not have access to the model '{name}'. It may use: {told}.", param="model")

    def _find(self, name: str) -> Model:
        if name in self._known:
            return msgspec.structs.replace(self._known[name], name=name)
        for pattern, targets in self._aliases.items():
            if len(name) <= LONGEST_NAME and fnmatchcase(name, pattern):
                return msgspec.structs.replace(self._known[targets[0]], name=name, is_foreign=True)
        raise UnknownModel(
            f"The model '{name}' does not exist here. Available: {', '.join(self._names)}.", param="model"
        )

    def find_text(self, name: str) -> TextCard | None:
        """Return the text model of a name; None if it is another model's, or no model's."""
        if not self.has_texts:
            return None
        try:
            card = self.find(name).card
        except UnknownModel:
            return None
        return card if isinstance(card, TextCard) else None

    def text_upstream(self, name: str) -> str:
        """Return the provider's own name of a text model. A name that is none of ours is one already."""
        card = self.find_text(name)
        return name if card is None else card.upstream

    def able(self, kind: VideoInput, *, from_files: bool = False) -> Sequence[str]:
        """Return the names of the models that make videos from a kind of input; or those that take it as a file."""
        cards = [card for card in self._names.values() if isinstance(card, VideoCard) and kind in card.upstream]
        return [card.name for card in cards if not (from_files and card.next_clips)]

    def find_card(self, name: str, kind: type[_Card]) -> tuple[_Card, Ratio | None]:
        """Return the card of a model of one kind, and the shape that the name asks for.

        Raises:
            UnknownModel: nothing of that name.
            InvalidRequest: the model is of another kind.
        """
        model = self.find(name)
        if isinstance(model.card, kind):
            return model.card, model.ratio
        fitting = ", ".join(name for name, card in self._names.items() if isinstance(card, kind))
        if isinstance(model.card, TextCard):
            raise InvalidRequest(
                f"The model '{name}' writes texts, by POST /v1/chat/completions. "
                f"Models that make {kind.kind}s: {fitting}.",
                param="model",
            )
        raise InvalidRequest(
            f"The model '{name}' makes {model.card.kind}s, not {kind.kind}s. Models that make {kind.kind}s: {fitting}.",
            param="model",
        )


def variants(card: Card) -> list[Model]:
    """Return the models that a card's shape endings make, as far as it has the shapes."""
    return [Model(f"{card.name}-{ending}", card, ratio) for ending, ratio in VARIANTS.items() if ratio in card.ratios]


def raw_names(card: Card) -> list[Model]:
    """Return a card by the provider's own names: people migrate with them from other gateways."""
    if not isinstance(card, VideoCard):
        return [Model(card.upstream, card)]
    cards = (card, *(card.of_length(length) for length in card.upstream_of_length))
    return [Model(name, each, ratio) for each in cards for name, ratio in _names_and_shapes(each)]


def _names_and_shapes(card: VideoCard) -> Iterator[tuple[str, Ratio | None]]:
    """Yield the provider's names, each with its shape; one for several shapes asks for none."""
    for names in card.upstream.values():
        for ratio, name in names.items():
            yield name, ratio if [*names.values()].count(name) == 1 else None


def _check_priced(model: str, unknown: Collection[str]) -> None:
    if unknown:
        raise ValueError(f"the model '{model}' has a price for {', '.join(sorted(unknown))}, and no such resolution")


def _in_words(lengths: Sequence[int]) -> str:
    """Write lengths for a message; many that follow each other as a range."""
    if len(lengths) > 3 and [*lengths] == [*range(lengths[0], lengths[-1] + 1)]:
        return f"{lengths[0]} to {lengths[-1]}"
    return " or ".join(map(str, lengths))


def _check_nearest(shape: Shape, nearest: Ratio) -> None:
    if shape.ratio not in {None, nearest}:
        raise InvalidRequest(
            f"The size '{shape.pixels}' and the ratio {shape.ratio} contradict each other: '{shape.pixels}' is nearer "
            f"to {nearest}. Leave one of them out.",
            param="size",
        )


def _not_offered(what: str, model: str, offered: Iterable[object], *, param: str = "size") -> InvalidRequest:
    return InvalidRequest(f"The model '{model}' has no {what}. It has: {', '.join(map(str, offered))}.", param=param)

"""Orders of pictures into Flow's words and back, and what its refusals mean. Pure. Videos: `videos.py`."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec

from adapter.domain.media import Image, Ratio, image_from_base64
from adapter.domain.orders import MAX_SEED, ImageOrder
from adapter.domain.whole_pictures import is_whole
from adapter.errors import (
    AccountRefused,
    AdapterError,
    ContentRefused,
    NoMedia,
    UpstreamBroken,
    UpstreamBusy,
    UpstreamForgot,
    UpstreamQuota,
)
from adapter.providers import rpc_status
from adapter.providers.flow import wire
from adapter.providers.json_splice import cut, value_of
from adapter.providers.reply import Reply, decoded, is_text
from adapter.providers.salvage import member

#: Seed 002, "VIDEO_ASPECT_RATIO" and "imageAspectRatio". Pictures know a square as well.
RATIO_WORDS: Mapping[Ratio, str] = {
    Ratio.LANDSCAPE: "ASPECT_RATIO_LANDSCAPE",
    Ratio.PORTRAIT: "ASPECT_RATIO_PORTRAIT",
    Ratio.SQUARE: "ASPECT_RATIO_SQUARE",
}

#: What Flow's own pages name themselves (seed 002, "clientContext").
TOOL = "PINHOLE"
#: And its upload page (seed 002, section 1).
UPLOAD_TOOL = "ASSET_MANAGER"

#: `flow.md` section 2, "Errors". A judgement of the content, by the end of the word.
CONTENT_WORDS = (
    "_UNSAFE_GENERATION",
    "_SEXUAL",
    "_FILTER",
    "_FILTERED",
    "_FILTER_FAILED",
    "_MINOR",
    "_UPLOAD",
    "_INPUT_IMAGE",
)
BUSY_WORDS = ("_THROTTLED", "_CONCURRENT_LIMIT_REACHED", "_HIGH_TRAFFIC", "_MODEL_OVERLOADED")
QUOTA_WORDS = ("_QUOTA_REACHED", "_QUOTA_REACHED_UPGRADEABLE")

_picture = value_of("encodedImage")
#: Google's JSON writes a 64-bit number as text, so a number in quotes is one as well.
_credits_decoder = msgspec.json.Decoder(wire.Credits, strict=False)
_tier_decoder = msgspec.json.Decoder(wire.Tier)
_images_decoder = msgspec.json.Decoder(
    Annotated[tuple[wire.ImageAnswer, ...], msgspec.Meta(max_length=1000)] | wire.ImagesObject
)
_link_decoder = msgspec.json.Decoder(wire.Url)
_uploaded_decoder = msgspec.json.Decoder(wire.Uploaded)


def session_id(now: float) -> str:
    """Name a session as Flow's own pages do."""
    return f";{int(now * 1000)}"


def upload_request(image: Image, session: str) -> wire.UploadUserImage:
    """Give Flow a picture to work from."""
    return wire.UploadUserImage(
        image_input=wire.UploadedImage(
            raw_image_bytes=image.base64,
            mime_type=image.format.mime,
            aspect_ratio=f"IMAGE_{RATIO_WORDS[nearest(image)]}",
        ),
        client_context=wire.UploadClientContext(session_id=session, tool=UPLOAD_TOOL),
    )


def worth(reply: Reply) -> tuple[int, str]:
    """Return what an account may still spend, and its tier; an unknown tier is empty.

    Raises:
        AdapterError: an error body, or nothing that can be read.
    """
    found = decoded(_credits_decoder, reply, fault)
    return found.credits, member(_tier_decoder, found.user_paygate_tier) or ""


def uploaded(reply: Reply) -> str:
    """Return what Flow calls an uploaded picture.

    Raises:
        AdapterError: an error body, or nothing that can be read.
    """
    return decoded(_uploaded_decoder, reply, fault).media_generation_id.media_generation_id


def nearest(image: Image) -> Ratio:
    """Return the shape of Flow's that looks most like a picture's."""
    return min(RATIO_WORDS, key=image.pixels.distance)


def images_request(
    order: ImageOrder, ratio: Ratio, names: Sequence[str], seeds: Sequence[int], session: str
) -> wire.BatchGenerateImages:
    """Ask for all pictures of an order in one call, each with a seed of its own; `names` are uploads to work from."""
    inputs = tuple(map(wire.ImageInput, names))
    return wire.BatchGenerateImages(
        tuple(
            wire.ImageRequest(
                client_context=wire.ImageClientContext(session),
                seed=seed,
                image_model_name=order.upstream,
                image_aspect_ratio=f"IMAGE_{RATIO_WORDS[ratio]}",
                prompt=order.prompt,
                image_inputs=inputs,
            )
            for seed in seeds
        )
    )


def seeds(first: int, n: int) -> list[int]:
    """Return n distinct seeds counting up from the first."""
    return [(first + index) % (MAX_SEED + 1) for index in range(n)]


def images(reply: Reply, n: int) -> list[Image | str]:
    """Return the pictures of an answer in order; where Flow sends only a link, the link.

    Raises:
        AdapterError: an error body, or anything but n pictures.
    """
    body, cut_out = cut(reply.body, _picture)
    answer = decoded(_images_decoder, Reply(reply.status, body), fault)
    items = answer.media if isinstance(answer, wire.ImagesObject) else answer
    if not items and is_text(body):  # else it cannot be read, and must not be paid for a second time
        raise NoMedia("Flow made no picture and gave no reason.")
    if len(items) != n:
        raise UpstreamBroken(f"Flow sent {len(items)} pictures instead of {n}.")
    return [_image(item.image.generated_image, cut_out) for item in items]


def _image(made: wire.GeneratedImage, cut_out: Mapping[bytes, msgspec.Raw]) -> Image | str:
    checked = cut_out.get(bytes(made.encoded_image))
    found = image_from_base64(made.encoded_image if checked is None else checked)
    if found is not None and is_whole(found, is_base64=checked is not None):
        return found
    if link := member(_link_decoder, made.fife_url):
        return link
    what = "a picture that is cut or broken" if found else "something that is not a picture"
    raise UpstreamBroken(f"Flow's answer holds {what}.")


def fault(reply: Reply) -> AdapterError:
    """Say what a refusal means: the reason first, the HTTP code second (`flow.md` section 2, "Errors")."""
    status = rpc_status.read_status(reply)
    if status is None or reply.status not in rpc_status.REFUSALS:
        return rpc_status.fault_of(reply, status)
    reason = status.reason
    if reason.endswith(CONTENT_WORDS):
        return ContentRefused(f"Google declined the content: {status.words} ({reason})")
    if reason.endswith(QUOTA_WORDS):
        return UpstreamQuota(f"Google: {status.words} ({reason})")
    if reason.endswith(BUSY_WORDS):
        return UpstreamBusy(f"Google: {status.words} ({reason})", retry_after=status.retry_after)
    if reply.status == 404:
        return UpstreamForgot(f"Google: {status.words}")
    if reply.status == 403 and (reason or "reCAPTCHA" in status.words):
        return AccountRefused(f"Google does not let this Flow account do that: {status.words} ({reason})")
    return rpc_status.fault_of(reply, status)

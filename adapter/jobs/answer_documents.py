"""The documents of remembered answers. Rows become answers here and nowhere else.

A document has the width and the height of a picture beside its name, as earlier versions wrote them: processes of two
versions read the same rows during an update.
"""

import msgspec

from adapter.domain.executions import StoredAnswer, StoredFault, StoredImageBatch
from adapter.domain.grounding import Grounding
from adapter.domain.media import Pixels, Signatures
from adapter.domain.stored_files import StoredImage
from adapter.domain.usage import Cost, Usage


class _ImageDocument(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    width: int
    height: int
    usage: Usage | None
    text: str = ""
    size: int | msgspec.UnsetType = msgspec.UNSET
    cost: Cost | msgspec.UnsetType = msgspec.UNSET
    signatures: Signatures | msgspec.UnsetType = msgspec.UNSET
    grounding: Grounding | msgspec.UnsetType = msgspec.UNSET


class _BatchDocument(msgspec.Struct, frozen=True, kw_only=True, tag="StoredAlbum"):
    images: tuple[_ImageDocument, ...]
    linked: bool


_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[_BatchDocument | StoredFault] = msgspec.json.Decoder(_BatchDocument | StoredFault)


def write_answer(answer: StoredAnswer) -> bytes:
    """Return the document of an answer."""
    match answer:
        case StoredImageBatch(images, linked):
            return _encoder.encode(_BatchDocument(images=tuple(map(_image_document, images)), linked=linked))
        case StoredFault():
            return _encoder.encode(answer)


def read_answer(document: bytes) -> StoredAnswer:
    """Return the answer of a document.

    Raises:
        msgspec.DecodeError: it cannot be read.
    """
    match _decoder.decode(document):
        case _BatchDocument(images=images, linked=linked):
            return StoredImageBatch(tuple(map(_stored_image, images)), linked)
        case StoredFault() as fault:
            return fault


def _image_document(image: StoredImage) -> _ImageDocument:
    return _ImageDocument(
        name=image.name,
        width=image.pixels.width,
        height=image.pixels.height,
        usage=image.usage,
        text=image.text,
        size=image.size,
        cost=image.cost,
        signatures=image.signatures,
        grounding=image.grounding,
    )


def _stored_image(document: _ImageDocument) -> StoredImage:
    pixels = Pixels(document.width, document.height)
    return StoredImage(
        name=document.name,
        pixels=pixels,
        usage=document.usage,
        text=document.text,
        size=document.size,
        cost=document.cost,
        signatures=document.signatures,
        grounding=document.grounding,
    )

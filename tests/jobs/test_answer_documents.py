"""The documents of remembered answers, as earlier versions wrote them."""

from decimal import Decimal

import msgspec
import pytest

from adapter.domain.executions import StoredAnswer, StoredFault, StoredImageBatch
from adapter.domain.grounding import Grounding, WebSource
from adapter.domain.job import Failure
from adapter.domain.media import Pixels, Signatures
from adapter.domain.stored_files import StoredImage
from adapter.domain.usage import Cost, Currency, Usage
from adapter.jobs.answer_documents import read_answer, write_answer

NAME = f"{7:032x}"
BATCH = StoredImageBatch(
    (
        StoredImage(name=f"{NAME}.png", pixels=Pixels(16, 9), usage=Usage(input_text=1, output_image=2), text="A fox."),
        StoredImage(name=f"{NAME}.jpg", pixels=Pixels(1, 2)),
    ),
    linked=True,
)
BATCH_DOCUMENT = (
    b'{"type":"StoredAlbum","images":[{"name":"00000000000000000000000000000007.png","width":16,"height":9,'
    b'"usage":{"input_text":1,"input_image":0,"output_text":0,"output_image":2},"text":"A fox."},'
    b'{"name":"00000000000000000000000000000007.jpg","width":1,"height":2,"usage":null,"text":""}],"linked":true}'
)
FAULT = StoredFault(Failure(message="no", code="c", type="t", status=500, should_retry=False))
FAULT_DOCUMENT = (
    b'{"type":"StoredFault","failure":{"message":"no","code":"c","type":"t","status":500,"should_retry":false,'
    b'"retry_after":null}}'
)


@pytest.mark.parametrize(("document", "answer"), [(BATCH_DOCUMENT, BATCH), (FAULT_DOCUMENT, FAULT)])
def test_two_versions_read_the_same_documents(document: bytes, answer: StoredAnswer) -> None:
    """Processes of both run side by side during an update."""
    assert read_answer(document) == answer
    assert write_answer(answer) == document


def test_the_size_of_a_picture_is_remembered() -> None:
    """Earlier versions neither wrote nor read it."""
    sized = msgspec.structs.replace(BATCH, images=(msgspec.structs.replace(BATCH.images[0], size=77),))

    assert b'"size":77' in write_answer(sized)
    assert read_answer(write_answer(sized)) == sized


def test_the_cost_of_a_picture_is_remembered() -> None:
    """As digits. Earlier versions neither wrote nor read it."""
    cost = Cost(Decimal("0.0336"), Currency.USD)
    paid = msgspec.structs.replace(BATCH, images=(msgspec.structs.replace(BATCH.images[0], cost=cost),))

    assert b'"cost":{"amount":"0.0336","currency":"USD"}' in write_answer(paid)
    assert read_answer(write_answer(paid)) == paid


def test_signatures_are_kept() -> None:
    """An answer that is given again has the same ones."""
    image = StoredImage(name=f"{NAME}.png", pixels=Pixels(1, 1), signatures=Signatures(picture="cA==", text="dw=="))
    signed = StoredImageBatch((image,), linked=False)

    assert read_answer(write_answer(signed)) == signed


def test_what_was_searched_for_a_picture_is_remembered() -> None:
    """Earlier versions neither wrote nor read it."""
    found = Grounding(queries=("fox",), sources=(WebSource("https://a.example/", "A"),), suggestions="<div></div>")
    searched = msgspec.structs.replace(BATCH, images=(msgspec.structs.replace(BATCH.images[0], grounding=found),))

    assert read_answer(write_answer(searched)) == searched


def test_a_picture_that_was_remembered_without_a_text_has_none() -> None:
    """Earlier versions wrote no texts."""
    assert read_answer(BATCH_DOCUMENT.replace(b',"text":"A fox."', b"")) == msgspec.structs.replace(
        BATCH, images=(msgspec.structs.replace(BATCH.images[0], text=""), BATCH.images[1])
    )

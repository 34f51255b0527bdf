"""`predict` into orders."""

from base64 import b64encode
from collections.abc import Mapping

import msgspec
import pytest

from adapter.domain.media import Frame, MediaFormat, Ratio, Resolution
from adapter.domain.orders import ImageOrder, InlineSource
from adapter.errors import InvalidRequest
from adapter.google_api.read.predict import read_predict
from tests.fakes import made_image
from tests.support import context

CONTEXT = context(longest_prompt=100)
FOX = made_image(20, 10).decode()


def order(**body: object) -> ImageOrder:
    """Read a request."""
    return read_predict(msgspec.json.encode(body), "gemini-3.1-flash-image", CONTEXT)


def test_open_webuis_request_is_read() -> None:
    """Its only instance has no list around it."""
    found = order(
        instances={"prompt": "a fox"}, parameters={"sampleCount": 1, "outputOptions": {"mimeType": "image/png"}}
    )

    assert (found.prompt, found.n, found.format) == ("a fox", 1, MediaFormat.PNG)


def test_several_pictures_can_be_asked_for_with_their_frame() -> None:
    """And one to work from."""
    found = order(
        instances=[
            {"prompt": "a fox", "image": {"bytesBase64Encoded": b64encode(FOX).decode(), "mimeType": "image/png"}}
        ],
        parameters={"sampleCount": 4, "aspectRatio": "16:9", "sampleImageSize": "2K"},
    )

    assert (found.n, found.frame) == (4, Frame(Ratio.LANDSCAPE, Resolution.TWO))
    assert [source.data for source in found.sources if isinstance(source, InlineSource)] == [FOX]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"instances": []}, "instances"),
        ({"instances": [{"prompt": "a"}, {"prompt": "b"}]}, "instances"),
        ({"instances": [{}]}, "instances[0].prompt"),
        ({"instances": [{"prompt": "a"}], "parameters": {"sampleCount": 11}}, "parameters.sample_count"),
        ({"instances": [{"prompt": "a"}], "parameters": {"negativePrompt": "b"}}, "parameters.negative_prompt"),
        ({"instances": [{"prompt": "a"}], "parameters": {"colour": "b"}}, "parameters.colour"),
    ],
)
def test_what_cannot_be_done_is_refused_by_its_name(body: Mapping[str, object], param: str) -> None:
    """In Google's spelling of the field."""
    with pytest.raises(InvalidRequest) as caught:
        order(**body)
    assert caught.value.param == param

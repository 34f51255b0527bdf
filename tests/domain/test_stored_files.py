"""Names of stored files, and pictures that are stored."""

import msgspec
import pytest

from adapter.domain.media import MediaFormat
from adapter.domain.stored_files import StoredFile, StoredImage, file_name, is_ours, stem_of
from adapter.domain.usage import Usage
from tests.fakes import made_image

STEM = f"{7:032x}"


def test_a_stored_picture_comes_back_as_it_was() -> None:
    """With what it cost and what the model wrote beside it."""
    image = msgspec.structs.replace(made_image(), usage=Usage(output_image=2), text="A fox.")

    assert StoredImage.of(image, "a.png").with_file(image.decode()) == image
    assert StoredImage.of(image, "a.png").known_size == len(image.decode())


@pytest.mark.parametrize("kind", MediaFormat)
def test_a_name_tells_its_stem_and_its_format(kind: MediaFormat) -> None:
    """The janitor and the routes know nothing else of a file."""
    name = file_name(STEM, kind)

    assert is_ours(name)
    assert stem_of(name) == STEM
    assert StoredFile(name=name, size=1, etag="", modified_at=0.0).content_type == kind.mime


@pytest.mark.parametrize("name", [f"{STEM}_0.png", f"{STEM}_thumbnail.webp", f"{STEM}-1.jpg"])
def test_files_of_one_stem_are_told_apart_behind_it(name: str) -> None:
    """A job has pictures, a thumbnail and a sheet of frames beside its video."""
    assert is_ours(name)
    assert stem_of(name) == STEM


@pytest.mark.parametrize("name", ["notes.png", f"{STEM}.txt", f"{STEM}", f"{STEM.upper()}G.png", f"{STEM}0.png"])
def test_a_file_of_another_program_is_not_ours(name: str) -> None:
    """The janitor leaves it alone."""
    assert not is_ours(name)

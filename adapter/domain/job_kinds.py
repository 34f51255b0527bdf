"""The kinds of jobs that the engine knows. A further kind is a further line here, and a further set of steps."""

from typing import TYPE_CHECKING, Final, Generic

import msgspec

from adapter.domain.image_job import ImageJob
from adapter.domain.job import Job, VideoJob

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    #: A kind of job. Where none is said, it is the first one: videos.
    J = TypeVar("J", bound=Job, default=VideoJob)
    J_co = TypeVar("J_co", bound=Job, default=VideoJob, covariant=True)
else:  # the default is for the type checker alone (PEP 696 is in the standard library from Python 3.13 on)
    from typing import TypeVar

    J = J_co = TypeVar("J", bound=Job)


class JobKind(msgspec.Struct, Generic[J_co], frozen=True):
    """A kind of job: its name in the database, and the form of its documents."""

    name: str
    form: type[J_co]


VIDEO: Final = JobKind("video", VideoJob)
IMAGE: Final = JobKind("image", ImageJob)
KINDS: Final[tuple[JobKind[Job], ...]] = (VIDEO, IMAGE)

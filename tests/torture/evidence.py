"""What is known of a trial when it is over, and what the judge says of it."""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from adapter.domain.job import JobState, VideoJob
from adapter.sandbox.memory.records import Execution
from tests.torture.wishes import OMNI_MODEL, Told, Wish

#: How far apart two events may be in time and still belong together, in seconds.
NEAR_SECONDS = 1.0


class Disturbance(msgspec.Struct, frozen=True):
    """Somebody was killed, paused or refused, between those Unix times."""

    since: float
    until: float
    what: str


class Look(msgspec.Struct, frozen=True):
    """What our database and our files held at a moment: a restart may have been next."""

    jobs: Mapping[str, VideoJob]
    #: SHA-256 by name; the end of a name that is no whole file's is `#` and a number.
    files: Mapping[str, str]


class Inventory(msgspec.Struct, frozen=True, kw_only=True):
    """What the folders held when leftovers had been swept, after the last look."""

    #: Names of files in the media store.
    media: Collection[str] = ()
    #: The stems that a row of the database has.
    owners: Collection[str] = ()
    #: How many files the sweep deleted.
    swept: int = 0
    #: Names of files in the spool whose process is dead.
    spool: Collection[str] = ()
    #: What `adapter media check` said afterwards.
    missing: Collection[str] = ()
    without_owner: Collection[str] = ()


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of a trial when it is over."""

    wishes: Sequence[Wish]
    #: In their order; the last one was taken when everything had come to rest.
    looks: Sequence[Look]
    executions: Sequence[Execution]
    #: Credits that Google took, and what one video costs.
    spent: int
    price: int
    #: SHA-256 of each video as Google has it, by operation.
    truth: Mapping[str, str]
    disturbances: Sequence[Disturbance]
    #: How each job stood just after the operator had called it off.
    called_off: Mapping[str, JobState] = {}
    inventory: Inventory = Inventory()
    #: Videos in the table of usage; None: it was not looked at.
    counted: int | None = None

    @property
    def last(self) -> Look:
        """How everything ended."""
        return self.looks[-1]

    @property
    def flow_videos(self) -> Sequence[Execution]:
        """Videos that Flow carried out. They cost credits, and have our marks."""
        return [each for each in self.executions if each.kind == "video" and each.model != OMNI_MODEL]

    @property
    def interactions(self) -> Sequence[Execution]:
        """Videos that Omni carried out."""
        return [each for each in self.executions if each.model == OMNI_MODEL]

    def prompt_of(self, interaction: Execution) -> str:
        """Return the prompt of a wish as Omni was given it, without what says what the pictures are."""
        prompts = (wish.prompt for wish in self.wishes if interaction.prompt.endswith(wish.prompt))
        return next(prompts, interaction.prompt)

    @property
    def deleted(self) -> set[str]:
        """The jobs of which a client was told that they are deleted."""
        return {wish.job_id for wish in self.wishes if wish.is_deleted}

    def meant(self, told: Told) -> VideoJob | None:
        """Return the job that a client was told of: by its name, or by that of its file."""
        by_file = (job for job in self.last.jobs.values() if job.stem == told.file.partition(".")[0])
        return self.last.jobs.get(told.job_id) or next(by_file, None)

    def was_disturbed(self, since: float, until: float) -> bool:
        """Say whether something was done to somebody at about that time."""
        return any(
            each.since <= until + NEAR_SECONDS and each.until >= since - NEAR_SECONDS for each in self.disturbances
        )


class Violation(msgspec.Struct, frozen=True):
    """A broken promise."""

    rule: str
    subject: str
    said: str

    def __str__(self) -> str:
        """Return one line."""
        return f"{self.rule}: {self.subject}: {self.said}"

"""`adapter jobs`: looks at jobs, and cancels them."""

from pathlib import Path

import click
import msgspec

from adapter.clock import SystemClock
from adapter.commands.database_use import use_database
from adapter.commands.listed_job import listed_job
from adapter.commands.opening import open_settings
from adapter.commands.options import with_config, with_json
from adapter.commands.table import print_table
from adapter.commands.times import minute
from adapter.database.address import without_password
from adapter.database.engine import Database
from adapter.domain.image_job import ImageJob
from adapter.domain.job import Job, JobState, VideoJob
from adapter.domain.job_kinds import IMAGE
from adapter.jobs.store import SqlJobStore


@click.group()
def jobs() -> None:
    """Look at jobs, and cancel them: videos, and pictures in the background."""


@jobs.command(name="list")
@with_config
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many, newest first.")
@with_json
def list_jobs(config: Path, limit: int, *, as_json: bool) -> None:
    """List the newest jobs."""
    settings = open_settings(config)
    found = use_database(settings, lambda it: _recent(it, limit))
    if as_json:
        click.echo(msgspec.json.encode([listed_job(job, fate) for job, fate in found]))
        return
    if not found:
        click.echo(f"No jobs in {without_password(settings.storage.database)}.")
        return
    print_table(("created (UTC)", "job", "state", "done", "model", "notes"), [_row(job, fate) for job, fate in found])


def _row(job: VideoJob | ImageJob, fate: str | None) -> tuple[str, ...]:
    notes = (job.failure.code if job.failure else None, fate)
    done = f"{job.progress} %" if isinstance(job, VideoJob) else ""
    return (minute(job.created_at), job.id, job.state, done, job.order.model, ", ".join(filter(None, notes)))


async def _recent(database: Database, limit: int) -> list[tuple[VideoJob | ImageJob, str | None]]:
    videos, images = SqlJobStore(database), SqlJobStore(database, IMAGE)
    found: list[VideoJob | ImageJob] = [*await videos.recent(limit), *await images.recent(limit)]
    newest = sorted(found, key=lambda job: job.created_at, reverse=True)[:limit]
    fates = await videos.unwanted([job.id for job in newest])
    return [(job, fates.get(job.id)) for job in newest]


@jobs.command(name="show")
@with_config
@click.argument("job_id")
def show_job(config: Path, job_id: str) -> None:
    """Print everything that is stored about a job."""
    settings = open_settings(config)
    job, fate = use_database(settings, lambda it: _job(SqlJobStore(it), job_id))
    if job is None:
        raise click.ClickException(f"There is no job '{job_id}'.")
    click.echo(msgspec.json.format(msgspec.json.encode(job)).decode())
    if fate is not None:
        click.echo(f"This job was {fate}.", err=True)


async def _job(store: SqlJobStore, job_id: str) -> tuple[Job | None, str | None]:
    return await _any_job(store, job_id), (await store.unwanted([job_id])).get(job_id)


async def _any_job(store: SqlJobStore, job_id: str) -> Job | None:
    """Return a job of any kind."""
    return next(iter(await store.get_many([job_id])), None)


@jobs.command(name="cancel")
@with_config
@click.argument("job_id")
def cancel_job(config: Path, job_id: str) -> None:
    """Cancel a job. A running server sees it at the next tick; a picture ends at once."""
    settings = open_settings(config)
    job = use_database(settings, lambda it: _cancelled(it, job_id))
    if job is None:
        raise click.ClickException(f"There is no job '{job_id}' that is still going on.")
    match job.state:
        case JobState.ACCEPTED:
            click.echo("It is cancelled. Nothing was sent, so nothing is charged.")
        case JobState.SUBMITTING | JobState.AMBIGUOUS if isinstance(job, VideoJob):
            click.echo("It is cancelled. It is being sent: if Google takes it, it is paid for and not downloaded.")
        case JobState.SUBMITTING:
            click.echo("It is cancelled. It is being made: it is paid for, and not kept.")
        case _:
            click.echo(
                "It is cancelled. Google has taken it: it is paid for, and not downloaded unless that has begun."
            )


async def _cancelled(database: Database, job_id: str) -> Job | None:
    """Cancel a job and return it as it was, or None if there was no live one."""
    # They load much that listing does not need.
    from adapter.generation.responses import cancel_image  # noqa: PLC0415
    from adapter.records.usage_recorder import CountedWork  # noqa: PLC0415

    store, clock = SqlJobStore(database), SystemClock()
    job = await _any_job(store, job_id)
    if isinstance(job, ImageJob):
        cancelled = await cancel_image(SqlJobStore(database, IMAGE, CountedWork()), job_id, clock)
        return None if cancelled is None else cancelled[0]
    return await _any_job(store, job_id) if await store.cancel(job_id, now=clock.now()) else None

"""Gemini Omni as a maker of videos."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final

import msgspec
import structlog

from adapter.domain.job import BalanceReading, Failure, Operation, VideoJob
from adapter.domain.media import Image, RemoteFile
from adapter.domain.ports import Clock, Download, Neighbours, Refused, Report, Settlement, Unproven, VideoFile
from adapter.errors import (
    AdapterError,
    ContentRefused,
    InvalidRequest,
    JobFailed,
    UnknownModel,
    UpstreamForgot,
    UpstreamRejected,
    reason_of,
)
from adapter.providers.http import Http
from adapter.providers.keys import Key, Keys
from adapter.providers.omni import translate
from adapter.providers.omni.api import InteractionsEndpoint, OmniApi
from adapter.providers.omni.files import OmniFiles, VideoFiles
from adapter.providers.omni.refusals import Refusals
from adapter.tasks import all_of

log = structlog.get_logger()

#: Refusals of a question that may be the end of its job.
FINAL: Final = (InvalidRequest, UnknownModel, UpstreamRejected)

#: Said of an earlier video of ours whose work Google has deleted.
GONE: Final = "Google no longer has the video that this one is made from. Send its file as 'video' to /v1/videos/edits."

_encoder = msgspec.json.Encoder()


class OmniProvider:
    """Has videos made by background interactions. Each job is asked about by itself: the API has no batches."""

    def __init__(  # noqa: PLR0913 - each comes from the settings or the surroundings
        self,
        http: Http,
        endpoint: InteractionsEndpoint,
        keys: Keys,
        clock: Clock,
        refusals: Refusals,
        *,
        send_seed: bool,
        files: VideoFiles | None = None,
    ) -> None:
        """Take the surroundings. `files`: where inputs and results lie; None: at the Files API."""
        self._keys = keys
        self._clock = clock
        self._refusals = refusals
        self._send_seed = send_seed
        self._api = OmniApi(http, endpoint)
        self._files = files or OmniFiles(self._api, clock, endpoint.concurrency)
        self._places = asyncio.Semaphore(endpoint.concurrency)

    async def close(self) -> None:
        """End the uploads that no request waits for."""
        await self._files.close()

    def choose_account(self, job: VideoJob) -> str:  # noqa: ARG002 - the port's signature
        """Name the key with the fewest calls under way (the port of that name)."""
        return self._keys.choose().name

    async def credits(self, account: str) -> int | None:  # noqa: ARG002 - the port's signature
        """Return None: the API tells no balance (the port of that name)."""
        return None

    async def settle(self, job: VideoJob, neighbours: Neighbours, seconds: float) -> Settlement:  # noqa: ARG002
        """Return that there is no proof (the port of that name): the API has no list of interactions and no balance."""
        words = "Google's API has no way to find out whether it began the video, so it is not sent again by itself."
        return Unproven(BalanceReading(None, self._clock.now()), words)

    async def upload(self, pictures: Sequence[Image], *, account: str) -> Sequence[str]:
        """Give a key's project pictures that it does not have yet (the port of that name)."""
        async with self._keys.using(account) as key:
            return await self._files.picture_addresses(key, pictures)

    async def upload_video(self, video: VideoFile, *, account: str) -> str:
        """Give a key's project a video to work on (the port of that name)."""
        async with self._keys.using(account) as key:
            return await self._files.video_address(key, video)

    async def submit(self, job: VideoJob, uploads: Sequence[str]) -> Operation:
        """Send a video job once (the port of that name)."""
        request = translate.request(job, uploads, self._files.delivery(job.mark), send_seed=self._send_seed)
        body = _encoder.encode(request)
        try:
            async with self._keys.using(job.account or "", is_tied=job.order.source is not None) as key:
                return translate.submitted(await self._api.submit(key, body), job.mark)
        except UpstreamForgot as fault:
            if job.order.source is not None:
                raise InvalidRequest(GONE, code="video_expired") from fault
            if not uploads:
                raise UpstreamRejected(fault.message) from fault
            self._files.forget(uploads)
            raise

    async def poll(self, operations: Sequence[Operation], *, account: str) -> Mapping[str, Report]:
        """Ask about each job by itself (the port of that name). If no question is answered, its fault is raised."""
        key = self._keys.find(account)
        answers = await all_of([self._answer(key, operation) for operation in operations])
        faults = [answer for answer in answers if isinstance(answer, AdapterError)]
        if faults and len(faults) == len(operations):
            raise faults[0]
        return {
            operation.name: answer
            for operation, answer in zip(operations, answers, strict=True)
            if answer is not None and not isinstance(answer, AdapterError)
        }

    async def _answer(self, key: Key, operation: Operation) -> Report | AdapterError | None:
        """Return how a job stands, or why that is not told: the others do not suffer from it."""
        name = operation.name
        try:
            async with self._places:
                told = translate.report(await self._api.interaction(key, name))
                found = await self._files.checked(key, operation, told)
        except FINAL as fault:
            return self._after_refusal(name, fault)
        except ContentRefused as fault:
            return Refused(Failure.of(fault))
        except AdapterError as fault:
            log.warning("omni.poll_missed", operation=name, code=fault.code, error=reason_of(fault))
            return fault
        self._refusals.forget(name)
        return found

    def _after_refusal(self, name: str, fault: AdapterError) -> Report | AdapterError:
        log.warning("omni.poll_refused", operation=name, code=fault.code, error=reason_of(fault))
        if not self._refusals.note(name, type(fault).__name__, self._clock.now()):
            return fault
        self._refusals.forget(name)
        return Refused(Failure.of(JobFailed(f"Google took the video and refuses to tell of it. {fault.message}")))

    def download(self, file: RemoteFile, *, account: str) -> AbstractAsyncContextManager[Download]:
        """Open a file (the port of that name)."""
        return self._files.opened(self._keys.find(account), file)

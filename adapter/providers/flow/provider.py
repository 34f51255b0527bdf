"""Flow as a maker of pictures and of videos."""

import asyncio
import math
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    asynccontextmanager,
    nullcontext,
)
from typing import TYPE_CHECKING

import msgspec
import structlog

from adapter.domain.answer_memory import SMALL_ANSWER_BYTES, bounded
from adapter.domain.job import BalanceReading, Operation, VideoJob
from adapter.domain.media import Image, Ratio, RemoteFile
from adapter.domain.orders import MAX_SEED, ImageOrder
from adapter.domain.ports import Clock, Download, Neighbours, Report, Settlement, VideoFile
from adapter.domain.usage import Currency
from adapter.domain.whole_pictures import whole_picture
from adapter.errors import (
    AdapterError,
    NoMedia,
    UpstreamBroken,
    UpstreamBusy,
    UpstreamCredential,
    UpstreamForgot,
    UpstreamLocation,
    UpstreamQuota,
    UpstreamRejected,
    UpstreamSilent,
    UpstreamUnreachable,
    already_paid,
    free_of_charge,
    reason_of,
)
from adapter.providers.flow import translate, videos
from adapter.providers.flow.accounts import Account, Accounts
from adapter.providers.flow.media import EncodedDownload
from adapter.providers.flow.settle import settle
from adapter.providers.flow.wire import BatchGenerateImages
from adapter.providers.http import Http
from adapter.providers.origin import OwnOrigin
from adapter.providers.renewal import renewed
from adapter.providers.reply import Reply, collect, deadline
from adapter.providers.uploads import PictureUploads

if TYPE_CHECKING:
    from adapter.providers.download import HttpDownload

log = structlog.get_logger()

#: Picture calls under way at once, so that polls and downloads always find a connection.
IMAGES_AT_ONCE = 64
#: No picture of these models comes near it.
MAX_PICTURE_BYTES = 64 * 1024 * 1024
#: An error body in the place of a file.
MAX_REFUSAL_BYTES = 64 * 1024
#: Flow forgets an upload after about an hour (`flow.md` section 2, "Upload").
UPLOAD_KEPT_SECONDS = 45 * 60.0
#: Reading the credits before a submission, the token and the connection included. It can be done without.
CREDITS_SECONDS = 3.0

#: What is paid by an account's credits, whatever the model: one scope of its standing.
VIDEOS = "videos"

_encoder = msgspec.json.Encoder()


class FlowProvider:
    """Speaks to one Flow address with the operator's accounts."""

    def __init__(
        self, http: Http, base_url: str, accounts: Accounts, clock: Clock, *, credits_seconds: float = CREDITS_SECONDS
    ) -> None:
        """Take the outside world, and for how many seconds a submission waits for the account's credits."""
        self._http = http
        self._credits_seconds = credits_seconds
        self._base_url = base_url
        self._accounts = accounts
        self._clock = clock
        self._random = random.SystemRandom()
        self._places = asyncio.Semaphore(IMAGES_AT_ONCE)
        self._uploads = PictureUploads(clock, UPLOAD_KEPT_SECONDS, tasks="flow.uploads")

    async def close(self) -> None:
        """End the uploads that no request waits for."""
        await self._uploads.close()

    async def make_images(self, order: ImageOrder, inputs: Sequence[Image]) -> Sequence[Image]:
        """Make all pictures by one batch call (the port of that name)."""

        async def make(account: Account) -> tuple[Http, Sequence[Image | str]]:
            return self._client(account), await self._make(account, order, inputs)

        async with self._places:
            try:
                http, made = await self._accounts.run(order.upstream, make)
            except NoMedia:
                # By chance, as with Gemini: one more try (`gemini.md` section 3).
                with already_paid():
                    http, made = await self._accounts.run(order.upstream, make)
        with already_paid():
            return [await self._picture(http, each) for each in made]

    async def _make(self, account: Account, order: ImageOrder, inputs: Sequence[Image]) -> Sequence[Image | str]:
        names = await self._upload(account, inputs)
        try:
            return await self._draw(account, order, inputs, names)
        except UpstreamForgot:
            # Flow forgot an upload: nothing was made, so it is sent again, once, by this order or by another one.
            if not inputs:
                raise
            self._uploads.forget(names)
            return await self._draw(account, order, inputs, await self._upload(account, inputs))

    async def _upload(self, account: Account, inputs: Sequence[Image]) -> Sequence[str]:
        async def send(image: Image) -> str:
            request = translate.upload_request(image, self._session())
            seconds = self._http.limits.upload
            return translate.uploaded(
                await self._call(self._client(account).post, account, "/v1:uploadUserImage", request, seconds)
            )

        with free_of_charge():
            return await self._uploads.names(account.name, inputs, send)

    async def _draw(
        self, account: Account, order: ImageOrder, inputs: Sequence[Image], names: Sequence[str]
    ) -> Sequence[Image | str]:
        first = self._random.randint(0, MAX_SEED) if order.seed is None else order.seed
        ratio = order.frame.ratio or (translate.nearest(inputs[0]) if inputs else Ratio.LANDSCAPE)
        seeds = translate.seeds(first, order.n)
        request = translate.images_request(order, ratio, names, seeds, self._session())
        path = f"/v1/projects/{account.project_id}/flowMedia:batchGenerateImages"
        reply = await self._call(self._client(account).post, account, path, request, self._http.limits.answer)
        return translate.images(reply, order.n)

    async def _picture(self, http: Http, made: Image | str) -> Image:
        if isinstance(made, Image):
            return made
        async with http.download(made, OwnOrigin(self._base_url)) as download:
            found = await asyncio.to_thread(whole_picture, await download.read(MAX_PICTURE_BYTES))
        if found is None:
            raise UpstreamBroken("Flow's link leads to something that is not a whole picture.")
        return found

    def choose_account(self, job: VideoJob) -> str:
        """Name the account with the fewest calls under way whose credits suffice (the port of that name)."""
        return self._accounts.choose(VIDEOS, needs=credits_needed(job)).name

    async def credits(self, account: str) -> int | None:
        """Read what an account may still spend (the port of that name)."""
        return await self._credits(account, self._credits_seconds, is_tied=False)

    async def _credits(self, account: str, seconds: float, *, is_tied: bool) -> int | None:
        try:
            async with self._accounts.using(account, is_tied=is_tied) as found, deadline(seconds):
                reply = await self._call(self._client(found).get, found, "/v1/credits", None, seconds)
                left, tier = translate.worth(reply)
        except AdapterError as fault:
            log.warning("flow.credits_unread", account=account, code=fault.code, error=reason_of(fault))
            return None
        self._accounts.note_worth(account, left, tier)
        return left

    async def settle(self, job: VideoJob, neighbours: Neighbours, seconds: float) -> Settlement:
        """Read the account's credits (the port of that name)."""
        credits_now = await self._credits(job.account or "", self._http.limits.question, is_tied=True)
        return await settle(job, BalanceReading(credits_now, self._clock.now()), neighbours, seconds)

    async def upload(self, pictures: Sequence[Image], *, account: str) -> Sequence[str]:
        """Give an account pictures that it does not have yet (the port of that name)."""
        async with self._accounts.using(account) as found:
            return await self._upload(found, pictures)

    async def upload_video(self, video: VideoFile, *, account: str) -> str:  # noqa: ARG002 - the port's signature
        """Refuse it: Flow works on its own videos only (the port of that name)."""
        raise UpstreamRejected("Flow takes no files of videos to work on.")

    async def submit(self, job: VideoJob, uploads: Sequence[str]) -> Operation:
        """Send a video job once (the port of that name)."""
        try:
            is_tied, needs = job.order.source is not None, credits_needed(job)
            async with self._accounts.using(job.account or "", VIDEOS, is_tied=is_tied, needs=needs) as account:
                request = videos.video_request(job, uploads, account, self._session())
                path, seconds = videos.video_path(job), self._http.limits.submit
                reply = await self._call(self._client(account).post_once, account, path, request, seconds)
                operation = videos.submitted(reply, job.mark)
                if (left := videos.remaining_credits(reply)) is not None:
                    self._accounts.note_worth(account.name, left)
                return operation
        except UpstreamForgot as fault:
            if job.order.source is not None:
                raise UpstreamRejected(f"Google no longer has the video to work on. {fault.message}") from fault
            self._uploads.forget(uploads)
            raise

    async def poll(self, operations: Sequence[Operation], *, account: str) -> Mapping[str, Report]:
        """Ask about all jobs of an account in one call for each dialect (the port of that name).

        A call that fails leaves the other dialect's jobs alone; if none succeeds, its fault is raised.
        """
        found: dict[str, Report] = {}
        faults = []
        groups = videos.by_dialect(operations)
        for dialect, asked in groups.items():
            try:
                found |= await self._ask_all(asked, account)
            except AdapterError as fault:
                log.warning(
                    "flow.dialect_missed", account=account, dialect=dialect, code=fault.code, error=reason_of(fault)
                )
                faults.append(fault)
        if faults and len(faults) == len(groups):
            raise faults[0]
        return found

    async def _ask_all(self, operations: Sequence[Operation], account: str) -> Mapping[str, Report]:
        """Ask about jobs of one dialect.

        Google refuses a whole batch for one operation that it does not know or stumbles over. So a batch that is
        refused is halved until the odd one is alone: the others are told, and it is left out.
        """
        try:
            return await self._ask(operations, account)
        except (UpstreamUnreachable, UpstreamSilent, UpstreamBusy, UpstreamQuota):
            raise
        except AdapterError as fault:
            found = await self._narrow_down(operations, account)
            if not found:
                raise
            said = {"code": fault.code, "error": reason_of(fault)}
            log.warning("flow.batch_refused", asked=len(operations), told=len(found), **said)
            return found

    async def _narrow_down(self, operations: Sequence[Operation], account: str) -> Mapping[str, Report]:
        """Halve a refused batch and go on with the half that is refused again; if both are, it is not one of them.

        The halves are drawn by lot, so that two odd ones do not hide behind each other for ever.
        """
        found: dict[str, Report] = {}
        suspects = self._random.sample(operations, len(operations))
        while len(suspects) > 1:
            refused = []
            for half in (suspects[::2], suspects[1::2]):
                try:
                    found |= await self._ask(half, account)
                except AdapterError:
                    refused.append(half)
            if len(refused) != 1:
                break
            suspects = refused[0]
        return found

    async def _ask(self, operations: Sequence[Operation], account: str) -> Mapping[str, Report]:
        found = self._accounts.find(account)
        request = videos.status_request(operations, found)
        return videos.reports(
            await self._call(self._client(found).post, found, videos.STATUS_PATH, request, self._http.limits.question)
        )

    def download(self, file: RemoteFile, *, account: str) -> AbstractAsyncContextManager[Download]:
        """Open a signed link, or ask for a medium by its name (the port of that name)."""
        if file.url:
            # The link opens for all, also if the account is no longer configured.
            named = self._accounts.get(account)
            http = self._client(named) if named else self._http
            return http.download(file.url, OwnOrigin(self._base_url))
        return self._open_media(file.name, account)

    @asynccontextmanager
    async def _open_media(self, name: str, account: str) -> AsyncIterator[Download]:
        """Ask at the configured address with the account's token, which no other origin gets."""
        found = self._accounts.find(account)
        http = self._client(found)
        async with AsyncExitStack() as stack:

            async def ask(token: str) -> "HttpDownload":
                own = OwnOrigin(self._base_url, headers(token))
                return await stack.enter_async_context(http.open_answer(url, own))

            url, token = f"{self._base_url}{videos.media_path(name)}", await found.token.read()
            answer = await ask(token)
            if answer.status == 401 and (another := await renewed(found.token, token)) != token:
                answer = await ask(another)
            if answer.status != 200:
                reply = Reply(answer.status, await collect(aiter(answer), MAX_REFUSAL_BYTES))
                self._note_refusal(found, reply)
                raise videos.media_fault(reply)
            yield EncodedDownload(answer)

    def _client(self, account: Account) -> Http:
        return account.http or self._http

    def _session(self) -> str:
        return translate.session_id(self._clock.now())

    async def _call(
        self,
        send: Callable[..., Awaitable[Reply]],
        account: Account,
        path: str,
        request: msgspec.Struct | None,
        seconds: float,
    ) -> Reply:
        """Send with the account's token; a 401 is a refusal before any work, so a renewed token gets one more try."""
        url, body = f"{self._base_url}{path}", b"" if request is None else _encoder.encode(request)
        token = await account.token.read()
        with answer_limit(request):
            reply = await send(url, headers=headers(token), body=body, seconds=seconds)
        if reply.status == 401:
            another = await renewed(account.token, token)
            if another != token:
                with answer_limit(request):
                    reply = await send(url, headers=headers(another), body=body, seconds=seconds)
        self._note_refusal(account, reply)
        return reply

    def _note_refusal(self, account: Account, reply: Reply) -> None:
        if reply.status == 400 and isinstance(translate.fault(reply), UpstreamLocation):
            log.error("upstream.location_refused", provider="flow", account=account.name)
        if reply.status in {401, 403} and isinstance(translate.fault(reply), UpstreamCredential):
            log.error("upstream.credential_refused", provider="flow", account=account.name, status=reply.status)


def credits_needed(job: VideoJob) -> int:
    """Return what a job costs in credits; 0 if that is not known."""
    cost = job.cost
    return math.ceil(cost.amount) if cost is not None and cost.currency is Currency.CREDITS else 0


def answer_limit(request: msgspec.Struct | None) -> AbstractContextManager[None]:
    """Return the limit of what may answer a request. Pictures are in the memory budget."""
    return nullcontext() if isinstance(request, BatchGenerateImages) else bounded(SMALL_ANSWER_BYTES)


def headers(token: str) -> Mapping[str, str]:
    """Return what every call carries (seed 002, "认证方式" and "Content-Type")."""
    return {"authorization": f"Bearer {token}", "content-type": "application/json"}

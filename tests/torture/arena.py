"""Where a trial takes place: a sandbox that survives, a database, a folder of files, servers to torment, clients."""

import asyncio
import hashlib
import os
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self
from uuid import uuid4

import httpx
import msgspec
from sqlalchemy import Connection, Row, select, update

from adapter.database.engine import Database
from adapter.database.tables import JOBS
from adapter.domain.job import JobState, VideoJob
from adapter.domain.stored_files import stem_of
from adapter.domain.usage_counts import UsageQuery
from adapter.errors import StorageFailed
from adapter.jobs.store import SqlJobStore
from adapter.media.leftovers import MediaReport
from adapter.records.usage import SqlUsageStore
from adapter.sandbox.control import LedgerReport
from adapter.sandbox.memory.records import Event, Medium, Operation, SecretMade
from adapter.sandbox.rules import SandboxAccount, SandboxRules
from adapter.sandbox.storage.links import Links
from tests.journeys.server import KEY, free_port
from tests.support import ROOT, WITHOUT_TLS
from tests.torture.client import Clients
from tests.torture.edges import Arm, Hit
from tests.torture.evidence import Disturbance, Evidence, Look
from tests.torture.files import edges_of, hits_of, woke_of, write_arm
from tests.torture.inventory import take_inventory
from tests.torture.nursery import Child, Nursery, Task
from tests.torture.operator import Operator
from tests.torture.wishes import Kind, Wish

CREDITS = 10_000_000
PRICE = 20
#: Jobs whose rows are read; no trial has as many.
ALL_JOBS = 10_000
#: How often a server that is alone looks after its jobs, and after how long it takes them up again.
ALONE = (0.05, 0.5)
#: For two of them: on a busy machine they need so long to keep what is theirs.
TOGETHER = (0.2, 2.0)
#: For two of them that nobody disturbs: longer than any hiccup.
IN_PEACE = (0.2, 30.0)
#: For how long everything may stand still before the end. Nothing that is well takes a tenth of it.
BOUND_SECONDS = 30.0
LOOK_SECONDS = 0.03
MOST_LOOKS = 10_000
#: Files that could not be deleted are tried again after a minute; nobody here waits for longer than this.
LONG_SECONDS = 10.0
#: One of each dialect, so that every trial meets both.
ACCOUNTS = [
    SandboxAccount(
        token="token-first", project_id="02ac868b-925f-40c1-9187-a688bd03a840", credits=CREDITS, dialect="seed"
    ),
    SandboxAccount(
        token="token-second", project_id="02ac868b-925f-40c1-9187-a688bd03a841", credits=CREDITS, dialect="media"
    ),
]

CONFIG = """
models = "{models}"
[server]
port = {port}
[access]
keys = ["plain:{key}"]
[storage]
database = "{database}"
media = "file://{folder}/media"
[providers.flow]
base_url = "{upstream}"
[[providers.flow.accounts]]
name = "first"
token = "plain:token-first"
project_id = "02ac868b-925f-40c1-9187-a688bd03a840"
[[providers.flow.accounts]]
name = "second"
token = "plain:token-second"
project_id = "02ac868b-925f-40c1-9187-a688bd03a841"
dialect = "media"
[providers.omni]
base_url = "{upstream}"
keys = ["plain:AIza-sandbox"]
[providers.gemini]
base_url = "{upstream}"
keys = ["plain:AIza-sandbox"]
[jobs]
poll_seconds = {poll}
lease_seconds = {lease}
typical_seconds = 0.3
reconcile_seconds = 0.3
spool = "{folder}/spool"
[chat]
heartbeat_seconds = 0.1
"""


class Victim:
    """A server that is tormented, through all its lives."""

    def __init__(self, arena: "Arena", name: str, bug: str) -> None:
        self._arena = arena
        self._bug = bug
        self.name = name
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._config = arena.folder / f"{name}.toml"
        self._config.write_text(arena.config(self.port))
        self._child: Child | None = None

    @property
    def lives(self) -> bool:
        """Whether it runs, or stands still."""
        return self._child is not None and self._child.lives

    def boot(self, arm: Arm | None = None) -> None:
        """Begin a new life; it is over at the edge, if one is given."""
        self.arm(arm)
        self._child = self._arena.nursery.fork(
            Task(
                role="victim",
                log=str(self._arena.folder / f"{self.name}.log"),
                config=str(self._config),
                name=self.name,
                bug=self._bug,
            )
        )

    def arm(self, arm: Arm | None) -> None:
        """Change what shall happen, from now on."""
        write_arm(self._arena.folder, self.name, arm)

    async def kill(self) -> None:
        """End its life now, as a power cut would."""
        if self._child is not None and self._child.lives:
            at = time.time()
            self._child.tell(signal.SIGKILL)
            await self._child.gone.wait()
            self._arena.disturbed(Disturbance(at, time.time(), f"{self.name} killed"))

    async def death(self, seconds: float) -> bool:
        """Wait until it dies; say whether it did within that time."""
        assert self._child is not None
        try:
            async with asyncio.timeout(seconds):
                await self._child.gone.wait()
        except TimeoutError:
            return False
        return True

    async def hit(self, hits: int, seconds: float) -> bool:
        """Wait until there are so many hits; say whether there were within that time."""
        until = time.monotonic() + seconds
        while len(self.hits()) < hits and time.monotonic() < until:
            await asyncio.sleep(LOOK_SECONDS)
        return len(self.hits()) >= hits

    def passed_awake(self) -> int:
        """Return how many edges it passed just after pauses."""
        return woke_of(self._arena.folder, self.name)

    async def woken(self, edges: int, seconds: float) -> None:
        """Wait until it passed so many edges just after pauses, or for so long."""
        until = time.monotonic() + seconds
        while self.passed_awake() < edges and time.monotonic() < until:
            await asyncio.sleep(LOOK_SECONDS)

    async def ready(self) -> None:
        """Wait until it answers."""
        async with httpx.AsyncClient(verify=WITHOUT_TLS, timeout=BOUND_SECONDS) as http:
            until = time.monotonic() + BOUND_SECONDS
            while time.monotonic() < until:
                try:
                    await http.get(f"{self.url}/health")
                except httpx.TransportError:
                    await asyncio.sleep(LOOK_SECONDS)
                else:
                    return

    def stand_still(self) -> None:
        """Stop it where it is."""
        assert self._child is not None
        self._child.tell(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it continue."""
        assert self._child is not None
        self._child.tell(signal.SIGCONT)

    def hits(self) -> list[Hit]:
        """Return everything that happened at its edges."""
        return hits_of(self._arena.folder, self.name)

    def edges(self) -> set[str]:
        """Return the edges that it passed."""
        return edges_of(self._arena.folder, self.name)


class Arena:
    """One trial's world."""

    def __init__(self, nursery: Nursery, folder: Path, url: str, database: Database) -> None:
        self.nursery = nursery
        self.folder = folder
        self._url = url
        self._database = database
        self._store = SqlJobStore(database)
        self.operator = Operator(self)
        self._victims: list[Victim] = []
        #: Of the servers that are made from now on.
        self.schedule = ALONE
        self._turn = 0
        self._looks: list[Look] = []
        self._disturbances: list[Disturbance] = []
        rules = SandboxRules(
            port=free_port(),
            state=str(folder / "upstream"),
            accounts=tuple(ACCOUNTS),
            pending_seconds=0.05,
            active_seconds=0.15,
            file_seconds=0.05,
            clip_seconds=0.1,
            clip_long_edge=64,
            video_credits=PRICE,
        )
        self._rules = rules
        self._upstream = f"http://127.0.0.1:{rules.port}"
        # A connection that is kept may be closed by the sandbox just when it is used again.
        self._http = httpx.AsyncClient(
            verify=WITHOUT_TLS, timeout=BOUND_SECONDS, limits=httpx.Limits(max_keepalive_connections=0)
        )
        self.clients = Clients(self._some_url)
        self._sandbox = nursery.fork(Task(role="sandbox", log=str(folder / "sandbox.log"), rules=rules))

    @classmethod
    @asynccontextmanager
    async def open(cls, nursery: Nursery, folder: Path, url: str, database: Database) -> AsyncIterator[Self]:
        """Prepare everything but the servers; afterwards nothing runs any more."""
        arena = cls(nursery, folder, url, database)
        try:
            await arena._wait_for_sandbox()
            yield arena
        finally:
            await arena._close()

    def config(self, port: int) -> str:
        """Return the configuration of a server."""
        return CONFIG.format(
            models=ROOT / "config" / "models.toml",
            port=port,
            key=KEY,
            database=self._url,
            folder=self.folder,
            upstream=self._upstream,
            poll=self.schedule[0],
            lease=self.schedule[1],
        )

    def victim(self, name: str = "victim", bug: str = "") -> Victim:
        """Return a server that does not live yet."""
        victim = Victim(self, name, bug)
        self._victims.append(victim)
        return victim

    async def order(self, kind: Kind) -> None:
        """Send the clients of a wish of that kind, and have the sandbox spoil it where the kind says so."""
        prompt = f"{kind.word or 'waves'} {uuid4().hex}"
        if kind.faults:
            faults = [{**fault, "prompt": prompt} for fault in kind.faults]
            (await self._http.post(f"{self._upstream}/sandbox/faults", json=faults)).raise_for_status()
        for _ in range(kind.clients):
            self.clients.send(Wish(kind, prompt))
        if kind.then == "cancelled":
            self.operator.send(prompt)

    def disturbed(self, disturbance: Disturbance) -> None:
        """Note that something was done to somebody."""
        self._disturbances.append(disturbance)

    async def look(self) -> Look:
        """See what the database and the folder hold, and remember it as evidence."""
        jobs = {job.id: job for job in await self._jobs()}
        look = Look(jobs, await asyncio.to_thread(self._files))
        self._looks.append(look)
        return look

    def age_leftovers(self) -> None:
        """Let an hour pass for half-written files: only then a start takes them for what they are."""
        for leftover in (self.folder / "media").glob("*#*"):
            os.utime(leftover, (0, 0))

    async def is_at_rest(self) -> bool:
        """Say whether every job is over."""
        return all(job.is_over for job in (await self.look()).jobs.values())

    async def rest(self, seconds: float = BOUND_SECONDS) -> bool:
        """Wait until every client has its answer and every job is over; say whether that came to pass.

        It did not if for so long nobody was told anything and no job moved: a busy machine gets there all the same.
        """
        last, since = (0, 0), time.monotonic()
        for _ in range(MOST_LOOKS):
            if await self._is_done():
                await self.clients.look_again()
                return True
            seen = self.clients.progress, sum(len(job.history) for job in self._looks[-1].jobs.values())
            if seen != last:
                last, since = seen, time.monotonic()
            if time.monotonic() > since + seconds:
                return False
            await asyncio.sleep(LOOK_SECONDS)
        return False

    async def _is_done(self) -> bool:
        is_over = self.clients.are_served and self.operator.is_done
        try:
            return await self.is_at_rest() and is_over and not await self._is_littered()
        except StorageFailed:  # a server on a busy machine has the file for itself
            return False

    async def evidence(self) -> Evidence:
        """Return all that is known, after a last look and a sweep of leftovers."""
        await self.look()
        report = msgspec.json.decode(
            (await self._http.get(f"{self._upstream}/sandbox/ledger")).content, type=LedgerReport
        )
        names = [*(each.name for each in self._victims), self.operator.name]
        all_hits = [(hit, name) for name in names for hit in hits_of(self.folder, name)]
        hits = [Disturbance(hit.at, hit.at, f"{hit.do} at {hit.edge}") for hit, _ in all_hits]
        return Evidence(
            wishes=self.clients.wishes,
            looks=self._looks,
            executions=report.executions,
            spent=sum(CREDITS - account.credits for account in report.accounts),
            price=PRICE,
            truth=await self._truth(),
            disturbances=[*self._disturbances, *hits],
            called_off=self.operator.called_off,
            counted=await self._counted(),
            inventory=await take_inventory(self.folder, self._database, self._check_media),
        )

    async def _counted(self) -> int:
        """Return how many videos the table of usage has, the failed ones included."""
        sums = await SqlUsageStore(self._database).sums(UsageQuery(since=0, until=10**10, only={"kind": ["video"]}))
        return sum(each.counts.requests for each in sums)

    async def _check_media(self) -> MediaReport:
        """Run `adapter media check --json` in a process of its own."""
        log = self.folder / "media-check.log"
        child = self.nursery.fork(Task(role="media check", log=str(log), config=self.config_of_any()))
        await child.gone.wait()
        return msgspec.json.decode(log.read_bytes().splitlines()[-1], type=MediaReport)

    async def _is_littered(self) -> bool:
        """Say whether files of deleted videos are still to go, and let a minute pass for those that failed to.

        A server that stood still may have stored one and not yet heard of the deletion. Halves of files are left to the
        start of the next server.
        """
        is_deleted, late = JOBS.c.deleted_at.is_not(None), JOBS.c.due_at > time.time() + LONG_SECONDS
        deleted = select(JOBS.c.stem, JOBS.c.due_at.is_not(None).label("is_to_go")).where(is_deleted)

        def look(connection: Connection) -> Sequence[Row[tuple[str, bool]]]:
            connection.execute(update(JOBS).where(is_deleted, late).values(due_at=0.0))
            return connection.execute(deleted).all()

        stored = {stem_of(name) for name in self._looks[-1].files if "#" not in name}
        return any(row.is_to_go or row.stem in stored for row in await self._database.write(look))

    async def live_job(self, prompt: str) -> VideoJob | None:
        """Return the job of a wish, if it is not over."""
        return next((job for job in await self._jobs() if job.order.prompt == prompt and not job.is_over), None)

    async def called_off(self, job_id: str) -> JobState | None:
        """Return how a job that is called off stands; None for one that is not."""
        called = select(JOBS.c.state).where(JOBS.c.id == job_id, JOBS.c.cancelled_at.is_not(None))
        state = await self._database.read(lambda connection: connection.execute(called).scalar_one_or_none())
        return None if state is None else JobState(state)

    def config_of_any(self) -> str:
        """Return where a configuration lies."""
        return str(self.folder / f"{self._victims[0].name}.toml")

    async def _jobs(self) -> list[VideoJob]:
        return list(await self._store.recent(ALL_JOBS))

    def _files(self) -> dict[str, str]:
        files = {}
        for path in (self.folder / "media").glob("*"):
            try:
                files[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
            except FileNotFoundError:
                continue  # renamed or deleted meanwhile
        return files

    async def _truth(self) -> dict[str, str]:
        """Fetch every video from the sandbox as anybody could who had the link, past all misfortune."""
        (await self._http.delete(f"{self._upstream}/sandbox/faults")).raise_for_status()
        lines = (self.folder / "upstream" / "journal.jsonl").read_bytes().splitlines()
        events = [event for line in lines for event in msgspec.json.decode(line, type=list[Event])]
        secret = next(event.secret for event in events if isinstance(event, SecretMade))
        links = Links(secret, BOUND_SECONDS, time.time)
        made = {event.id for event in events if isinstance(event, Medium)}
        truth = {}
        for event in events:
            if isinstance(event, Operation) and event.medium in made and not event.fails:
                found = await self._http.get(links.signed(self._upstream, f"/video/{event.medium}"))
                truth[event.name] = hashlib.sha256(found.raise_for_status().content).hexdigest()
        return truth

    def _some_url(self) -> str:
        """Return the address of a living server, each in turn."""
        living = [victim for victim in self._victims if victim.lives] or self._victims
        self._turn += 1
        return living[self._turn % len(living)].url

    async def _wait_for_sandbox(self) -> None:
        until = time.monotonic() + BOUND_SECONDS
        while True:
            try:
                (await self._http.get(f"{self._upstream}/sandbox/ledger")).raise_for_status()
            except httpx.TransportError:
                assert time.monotonic() < until, (self.folder / "sandbox.log").read_text()
                await asyncio.sleep(LOOK_SECONDS)
            else:
                return

    async def _close(self) -> None:
        await self.clients.close()
        await self.operator.close()
        await self._http.aclose()
        for victim in self._victims:
            await victim.kill()
        self._sandbox.tell(signal.SIGKILL)
        await self._sandbox.gone.wait()

"""An operator's credentials for one provider: which one carries a piece of work, and which ones rest.

A request that Google refused because of its credential, before any work, goes on with another one. A pool never refuses
by itself: if all of its credentials rest, the one that is due first is asked.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Final, Generic, Protocol, TypeVar

import structlog

from adapter.domain.credentials import Balance, CredentialName, CredentialRefusal, CredentialState, Rest
from adapter.domain.ports import Clock, Metrics
from adapter.domain.telemetry import NoMetrics
from adapter.errors import AdapterError, UpstreamBusy, UpstreamCredential, UpstreamQuota, reason_of
from adapter.providers.standing import OF_CREDENTIAL, OF_WAY, PROOF_SECONDS, Standing, is_passed_on, proves
from adapter.redaction import without_secrets

log = structlog.get_logger()

_T = TypeVar("_T")

#: Seconds after which credits that were read may have come back: an account is filled up each month, or by its owner.
KNOWN_SECONDS: Final = 600.0
#: The scope of what concerns all models.
EVERYTHING: Final = ""


class Credential(Protocol):
    """What the pool knows of a credential."""

    @property
    def name(self) -> str:
        """The operator's name for it. Jobs remember it."""
        ...

    @property
    def enabled(self) -> bool:
        """Whether it takes new work."""
        ...

    @property
    def concurrency(self) -> int:
        """Calls under way with it at once, without those of jobs."""
        ...


_Credential = TypeVar("_Credential", bound=Credential)


class CredentialPool(Generic[_Credential]):
    """Credentials by name, and how each stands.

    A scope is what a quota may be for, such as a model: a credential that rests there works elsewhere.
    """

    def __init__(  # noqa: PLR0913 - two are words
        self,
        what: str,
        provider: str,
        members: Sequence[_Credential],
        clock: Clock,
        metrics: Metrics | None = None,
        *,
        throttles_all: bool = False,
        ways_differ: bool = False,
    ) -> None:
        """Take what one is called in messages, the provider's name for the log, and all credentials.

        `throttles_all` says that a 429 is for all that a credential does, and not for one model. `ways_differ` says
        that credentials have proxies of their own: if Google is not reached with one, it may be with another one.
        """
        self._ways_differ = ways_differ
        self._busy_is_all = throttles_all
        self._what = what
        self._provider = provider
        self._members = {member.name: member for member in members}
        #: Those that take new work. The one that was chosen longest ago is the first.
        self._turn = [name for name, member in self._members.items() if member.enabled]
        self._standings: dict[tuple[str, str], Standing] = {}
        #: The last refusal of each, what each may still spend, and its tier, as Google told it.
        self._refusals: dict[str, CredentialRefusal] = {}
        self._balances: dict[str, Balance] = {}
        self._tiers: dict[str, str] = {}
        #: The credits that work under way will cost, by account.
        self._promised: Counter[str] = Counter()
        self._changed = asyncio.Event()
        self._clock = clock
        self._metrics = metrics or NoMetrics()

    def find(self, name: str) -> _Credential:
        """Return one by its name.

        Raises:
            UpstreamCredential: it is no longer configured.
        """
        if name not in self._members:
            raise UpstreamCredential(f"The {self._what} '{name}' is no longer configured.")
        return self._members[name]

    def get(self, name: str) -> _Credential | None:
        """Return one by its name; None: it is no longer configured."""
        return self._members.get(name)

    def states(self) -> Sequence[CredentialState]:
        """Return how each stands (the port of that name)."""
        return [self._state(name) for name in self._members]

    def disable(self, names: Collection[CredentialName]) -> None:
        """Give these no new work (the port of that name)."""
        off = {each.name for each in names if each.provider == self._provider}
        on = {name for name, member in self._members.items() if member.enabled and name not in off}
        if on == {*self._turn}:
            return
        log.info("credential.switched", provider=self._provider, taking_work=sorted(on))
        self._turn = [name for name in self._turn if name in on] + [
            name for name in self._members if name in on and name not in self._turn
        ]
        self._wake()

    def note_worth(self, name: str, credits: int, tier: str = "") -> None:  # noqa: A002 - Google's word
        """Remember what an account may still spend, and its tier where it is told."""
        self._balances[name] = Balance(credits=credits, at=self._clock.now())
        if tier:
            self._tiers[name] = tier

    def choose(self, scope: str = EVERYTHING, *, needs: int = 0) -> _Credential:
        """Return the one that shall carry the next job, which costs so many credits.

        One whose known credits do not suffice is passed over, unless that is so of all. Among those with equal load it
        is the one with the most credits.

        Raises:
            UpstreamCredential: none takes new work.
        """
        self._check_any()
        awake = [name for name in self._turn if not self._is_resting(name, scope)]
        rich = [name for name in awake if self._covers(name, needs)] or awake
        ready = [name for name in rich if self._has_place(name, scope)]
        most = max((left for name in rich if (left := self._credits(name)) is not None), default=0)

        def rank(name: str) -> tuple[float, int]:
            left = self._credits(name)
            return self._load(name), -(most if left is None else left)

        name = min(ready or rich, key=rank, default=None) or self._due_first(self._turn, scope)
        return self._next(name)

    async def run(self, scope: str, work: Callable[[_Credential], Awaitable[_T]]) -> _T:
        """Do a piece of work with one credential, and with another one where it is refused before execution.

        Raises:
            UpstreamCredential: none takes new work.
            AdapterError: as `work`.
        """
        self._check_any()
        tried: set[str] = set()
        while True:
            name = await self._take(scope, tried)
            tried.add(name)
            try:
                with _Call(self, name, scope):
                    return await work(self._members[name])
            except AdapterError as fault:
                if not self._is_passed_on(fault):
                    raise
                if not self._has_another(scope, tried):
                    if isinstance(fault, UpstreamBusy) or not self._busy(scope, tried):
                        raise
                    raise self._come_back(scope, tried) from fault

    @asynccontextmanager
    async def using(
        self, name: str, scope: str = EVERYTHING, *, is_tied: bool = False, needs: int = 0
    ) -> AsyncIterator[_Credential]:
        """Work for a job with its credential. While that rests and another one does not, nothing is sent.

        The same is true if its known credits do not cover what the work `needs`, and those of another one do. A job
        that is tied to its credential is sent in any case. `concurrency` does not count for jobs: they do not queue
        behind pictures.

        Raises:
            UpstreamCredential: it is no longer configured.
            AdapterError: as the work; `another_takes_it` says whether the job should move, if it is not tied.
        """
        found = self.find(name)
        while not is_tied and self._has_another(scope, {name}):
            if self._is_resting(name, scope):
                raise self._refusal(name, scope)
            if self._is_open(name, scope):
                break
            await self._change()
        if not is_tied and not self._covers(name, needs) and self._has_richer(name, scope, needs):
            raise self._shortage(name)
        self._promised[name] += needs
        try:
            with _Call(self, name, scope):
                yield found
        except AdapterError as fault:
            fault.another_takes_it = self._is_passed_on(fault) and self._has_another(scope, {name})
            raise
        finally:
            self._promised[name] -= needs

    @property
    def _is_alone(self) -> bool:
        """Whether there is no other one, so that the only one is asked in any case."""
        return len(self._turn) == 1

    def _check_any(self) -> None:
        if not self._turn:
            raise UpstreamCredential(f"No {self._what} takes new work at the moment.")

    async def _take(self, scope: str, tried: Collection[str]) -> str:
        """Return the next credential, as soon as one has a place."""
        while True:
            left = [name for name in self._turn if name not in tried]
            if not left:  # the last one was disabled meanwhile
                raise UpstreamCredential(f"No {self._what} takes new work at the moment.")
            ready = [name for name in left if self._has_place(name, scope)]
            if ready:
                return self._next(min(ready, key=self._load) if len(ready) > 1 else ready[0]).name
            if all(self._is_resting(name, scope) for name in left):
                return self._next(self._due_first(left, scope)).name
            await self._change()

    async def _change(self) -> None:
        await self._clock.wait(self._changed, PROOF_SECONDS)

    def begin_call(self, name: str, scope: str) -> float:
        """Count a call, and return when it begins, in Unix seconds."""
        now = self._clock.now()
        for each in _scopes(scope):
            self._standings[name, each] = self._standing(name, each).begin(now)
        return now

    def end_call(self, name: str, scope: str, began: float, error: BaseException | None) -> None:
        """Note what a call says of its credential. One that was cancelled says nothing."""
        if error is None or isinstance(error, AdapterError):
            self._note(name, scope, error, began)
        for each in _scopes(scope):
            self._standings[name, each] = self._standings[name, each].end()
        self._wake()

    def _wake(self) -> None:
        """Let those that wait for a place look again."""
        self._changed.set()
        self._changed = asyncio.Event()

    def _note(self, name: str, scope: str, fault: AdapterError | None, began: float) -> None:
        if fault is None or proves(fault):
            for each in _scopes(scope):
                self._accept(name, each, began)
        elif self._concerns_all(fault):
            self._refuse(name, EVERYTHING, fault)
        elif is_passed_on(fault):
            if scope:  # Google knows the credential
                self._accept(name, EVERYTHING, began)
            self._refuse(name, scope, fault)

    def _is_passed_on(self, fault: AdapterError) -> bool:
        return is_passed_on(fault) or (self._is_of_way(fault) and not fault.spent)

    def _concerns_all(self, fault: AdapterError) -> bool:
        """Return whether a refusal is for all that a credential does."""
        is_throttled = self._busy_is_all and isinstance(fault, UpstreamBusy)
        return isinstance(fault, OF_CREDENTIAL) or is_throttled or self._is_of_way(fault)

    def _is_of_way(self, fault: AdapterError) -> bool:
        return self._ways_differ and isinstance(fault, OF_WAY)

    def _accept(self, name: str, scope: str, began: float) -> None:
        before = self._standing(name, scope)
        after = self._standings[name, scope] = before.accept(began)
        if after is not before and before.rests and not self._is_alone:
            log.info("credential.back", provider=self._provider, credential=name, **_shown(scope))

    def _refuse(self, name: str, scope: str, fault: AdapterError) -> None:
        before, now = self._standing(name, scope), self._clock.now()
        after = self._standings[name, scope] = before.refuse(fault, now)
        self._refusals[name] = CredentialRefusal(
            at=now, code=fault.code or fault.type, message=without_secrets(reason_of(fault))
        )
        if after is before or self._is_alone:
            return
        said = {
            "code": fault.code,
            "error": reason_of(fault),
            "seconds": round(after.rests_until - now),
            **_shown(scope),
        }
        write = log.warning if isinstance(fault, UpstreamBusy) else log.error
        write("credential.set_aside", provider=self._provider, credential=name, **said)
        labels = {"provider": self._provider, "credential": name, "code": fault.code or ""}
        self._metrics.count("credentials_set_aside", labels)

    def _state(self, name: str) -> CredentialState:
        now, whole = self._clock.now(), self._standing(name, EVERYTHING)
        scopes = {scope: standing for (of, scope), standing in self._standings.items() if of == name}
        rests = [Rest(each.rests_until, scope) for scope, each in scopes.items() if each.is_resting(now)]
        # The only one is asked in any case, so it does not rest.
        is_refused = any(each.fault for each in scopes.values()) if self._is_alone else whole.fault is not None
        return CredentialState(
            provider=self._provider,
            name=name,
            calls=whole.under_way,
            is_proven=whole.is_proven,
            is_failing=is_refused,
            rests=() if self._is_alone else tuple(rests),
            refusal=self._refusals.get(name),
            balance=self._balances.get(name),
            tier=self._tiers.get(name, ""),
        )

    def _standing(self, name: str, scope: str) -> Standing:
        return self._standings.get((name, scope)) or Standing()

    def _is_resting(self, name: str, scope: str) -> bool:
        now = self._clock.now()
        return any(self._standing(*place).is_resting(now) for place in _places(name, scope))

    def _has_place(self, name: str, scope: str) -> bool:
        return self._load(name) < 1 and (self._is_alone or self._is_open(name, scope))

    def _is_open(self, name: str, scope: str) -> bool:
        now = self._clock.now()
        return all(self._standing(*place).has_place(now) for place in _places(name, scope))

    def _credits(self, name: str) -> int | None:
        """Return what an account may still spend, with what is under way taken off; None: unknown, which is not 0."""
        balance = self._balances.get(name)
        return None if balance is None else balance.credits - self._promised[name]

    def _covers(self, name: str, needs: int) -> bool:
        """Return whether the credits of an account suffice. What was read long ago is not known any more."""
        balance, left = self._balances.get(name), self._credits(name)
        if not needs or balance is None or left is None or self._clock.now() - balance.at >= KNOWN_SECONDS:
            return True
        return left >= needs

    def _has_richer(self, than: str, scope: str, needs: int) -> bool:
        return any(
            name != than and not self._is_resting(name, scope) and self._covers(name, needs) for name in self._turn
        )

    def _shortage(self, name: str) -> AdapterError:
        short = UpstreamQuota(f"The {self._what} '{name}' has fewer credits than this costs.")
        short.another_takes_it = True
        return short

    def _has_another(self, scope: str, tried: Collection[str]) -> bool:
        return any(name not in tried and not self._is_resting(name, scope) for name in self._turn)

    def _load(self, name: str) -> float:
        return self._standing(name, EVERYTHING).under_way / self._members[name].concurrency

    def _due_first(self, names: Sequence[str], scope: str) -> str:
        return min(names, key=lambda name: max(self._standing(*place).rests_until for place in _places(name, scope)))

    def _next(self, name: str) -> _Credential:
        """Put a credential behind the others."""
        self._turn.remove(name)
        self._turn.append(name)
        return self._members[name]

    def _refusal(self, name: str, scope: str) -> AdapterError:
        """Return why a credential rests."""
        now = self._clock.now()
        standings = [self._standing(*place) for place in _places(name, scope)]
        fault = next((each.fault for each in standings if each.is_resting(now) and each.fault), None)
        again = fault.copy() if fault else UpstreamCredential(f"The {self._what} '{name}' takes no new work.")
        again.another_takes_it = True
        return again

    def _busy(self, scope: str, tried: Iterable[str]) -> Sequence[Standing]:
        """Return how those stand that asked to come back."""
        now = self._clock.now()
        standings = [self._standing(*place) for name in tried for place in _places(name, scope)]
        return [each for each in standings if isinstance(each.fault, UpstreamBusy) and each.is_resting(now)]

    def _come_back(self, scope: str, tried: Iterable[str]) -> AdapterError:
        """Return the refusal that a client can do something with: it says when to come back."""
        first = min(self._busy(scope, tried), key=lambda standing: standing.rests_until)
        again = UpstreamBusy(first.fault.message if first.fault else "")
        again.retry_after = first.rests_until - self._clock.now()
        return again


class _Call(Generic[_Credential]):
    """A call under way. A class, because each request has one, and a generator costs four times as much."""

    def __init__(self, pool: CredentialPool[_Credential], name: str, scope: str) -> None:
        self._pool = pool
        self._name = name
        self._scope = scope

    def __enter__(self) -> None:
        self._began = self._pool.begin_call(self._name, self._scope)

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self._pool.end_call(self._name, self._scope, self._began, error)


def _scopes(scope: str) -> tuple[str, ...]:
    return (EVERYTHING, scope) if scope else (EVERYTHING,)


def _places(name: str, scope: str) -> list[tuple[str, str]]:
    return [(name, each) for each in _scopes(scope)]


def _shown(scope: str) -> dict[str, str]:
    return {"model": scope} if scope else {}

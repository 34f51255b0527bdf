"""The ledger: executions, credits, operations, media."""

import secrets
from collections import Counter
from pathlib import Path

from adapter.sandbox.google_errors import GoogleError, flow_refusal
from adapter.sandbox.memory.journal import Journal
from adapter.sandbox.memory.records import Event, Execution, InteractionEnded, Medium, Operation, SecretMade
from adapter.sandbox.rules import SandboxAccount, SandboxRules


class Ledger:
    """What the sandbox has executed, read from the journal of `rules.state` if there is one.

    `record` returns when the facts would survive the death of the process.
    """

    def __init__(self, rules: SandboxRules) -> None:
        self._journal = Journal(Path(rules.state)) if rules.state else None
        self.accounts: dict[str, SandboxAccount] = {account.token: account for account in rules.accounts}
        self.credits: dict[str, int] = {account.project_id: account.credits for account in rules.accounts}
        self.executions: list[Execution] = []
        #: Requests received since this start, by endpoint ("flow.submit", ...).
        self.requests: Counter[str] = Counter()
        self.secret = ""
        self._operations: dict[str, Operation] = {}
        self._ended: dict[str, InteractionEnded] = {}
        self._media_by_id: dict[str, Medium] = {}
        self._media_by_name: dict[str, Medium] = {}
        for event in self._journal.replay() if self._journal else ():
            self._apply(event)
        if not self.secret:
            self.record(SecretMade(secrets.token_hex(32)))

    def record(self, *events: Event) -> None:
        """Record the events of one answer, all or none.

        The write is done on the event loop on purpose: check, charge and write are then one step.
        """
        if self._journal:
            self._journal.append(events)
        for event in events:
            self._apply(event)

    def afford(self, account: SandboxAccount, cost: int) -> None:
        """Refuse what costs more credits than the account has.

        Raises:
            GoogleError: 429 PUBLIC_ERROR_USER_QUOTA_REACHED.
        """
        if self.credits[account.project_id] < cost:
            raise flow_refusal(429, "PUBLIC_ERROR_USER_QUOTA_REACHED")

    def operation(self, name: str, account: SandboxAccount) -> Operation:
        """Return the account's operation of that name.

        Raises:
            GoogleError: 404 when there is none, 403 when it is another account's.
        """
        operation = self._operations.get(name)
        if operation is None:
            raise GoogleError(404)
        if operation.account != account.project_id:
            raise GoogleError(403)
        return operation

    def interaction(self, name: str) -> tuple[Operation, InteractionEnded | None] | None:
        """Return an interaction of any key and how its owner ended it."""
        operation = self._operations.get(name)
        return (operation, self._ended.get(name)) if operation else None

    def picture(self, name: str, account: SandboxAccount) -> Medium:
        """Return the account's picture of that mediaGenerationId.

        Raises:
            GoogleError: 404 when there is none, as for one that has expired.
        """
        medium = self._media_by_name.get(name)
        if medium is None or medium.account != account.project_id or medium.kind == "video":
            raise GoogleError(404)
        return medium

    def operation_of(self, name: str, account: SandboxAccount) -> Operation:
        """Return the account's operation that makes the clip of that mediaGenerationId, or of that UUID.

        Raises:
            GoogleError: 404 when there is none, or when it is another account's.
        """
        medium = self._media_by_name.get(name) or self._media_by_id.get(name)
        for operation in self._operations.values():
            if medium and operation.medium == medium.id and operation.account == account.project_id:
                return operation
        raise GoogleError(404)

    def medium(self, media_id: str) -> Medium | None:
        """Return the medium of a link's UUID."""
        return self._media_by_id.get(media_id)

    def media_of(self, owner: str) -> list[Medium]:
        """Return all media of an owner, the oldest first."""
        return [medium for medium in self._media_by_id.values() if medium.account == owner]

    def medium_named(self, name: str) -> Medium:
        """Return a medium that another one was made from, by its mediaGenerationId."""
        return self._media_by_name[name]

    def clip(self, operation: Operation) -> Medium:
        """Return the clip that an operation makes."""
        return self._media_by_id[operation.medium]

    def _apply(self, event: Event) -> None:
        match event:
            case SecretMade():
                self.secret = event.secret
            case Medium():
                self._media_by_id[event.id] = event
                self._media_by_name[event.name] = event
            case Operation():
                self._operations[event.name] = event
            case InteractionEnded():
                self._ended[event.name] = event
            case Execution():
                self.executions.append(event)
                if event.account in self.credits:
                    self.credits[event.account] -= event.credits

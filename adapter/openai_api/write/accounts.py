"""Writes how the operator's accounts and keys stand."""

from collections.abc import Sequence

import msgspec

from adapter.domain.credentials import CredentialSummary
from adapter.openai_api.wire.accounts import AccountList, AccountObject


def account_list(found: Sequence[CredentialSummary]) -> AccountList:
    """Return a list of accounts. Both structs have the same members."""
    return AccountList(data=tuple(msgspec.convert(each, AccountObject, from_attributes=True) for each in found))

"""Opens the database that the settings name."""

from adapter.credentials import secret
from adapter.database.engine import Database, open_database
from adapter.settings import Settings


async def build_database(settings: Settings) -> Database:
    """Open the database.

    Raises:
        WrongConfiguration: it cannot be used, or its password is not there.
        SecretUnreadable: its password cannot be read.
    """
    told = settings.storage
    reference = told.database_password
    password = secret(reference, key="storage.database_password") if reference else None
    return await open_database(told.database, password)

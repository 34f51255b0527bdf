"""How the address of a database is read and shown."""

import re

from adapter.errors import WrongConfiguration

SQLITE = "sqlite"
POSTGRESQL = "postgresql"
#: A server's address with a login that ends at the last `@`. Else a part of the password would be read as a host.
SERVER = re.compile(r"(postgres|postgresql)://([^/?#@\[\]]*@)?[^@?#]*(\?[^#]*)?")
#: Parameters of a PostgreSQL address that are secrets.
SECRET = re.compile(r"(?<=[?&])(password|sslpassword)=[^&]*", re.IGNORECASE)


def kind_of(url: str) -> str:
    """Return SQLITE or POSTGRESQL.

    Raises:
        WrongConfiguration: another kind of address. The message does not show it: it may contain a password.
    """
    if url.startswith("sqlite:///") and url != "sqlite:///":
        return SQLITE
    if SERVER.fullmatch(url) and not url.endswith("://"):
        return POSTGRESQL
    raise WrongConfiguration(
        "storage.database has to be sqlite:///FILE or postgresql://USER@HOST:PORT/DATABASE; "
        "in a user or a password / ? # @ [ ] are written %2F %3F %23 %40 %5B %5D."
    )


def without_password(url: str) -> str:
    """Return an address that may be shown.

    A password with an unescaped `/`, `?` or `#` is still a password, so everything up to the last `@` belongs to it.
    """
    scheme, separator, rest = url.partition("://")
    login, at, place = rest.rpartition("@")
    user = login.partition(":")[0]
    return SECRET.sub("", f"{scheme}{separator}{user}{at}{place}").replace("?&", "?").rstrip("?&")

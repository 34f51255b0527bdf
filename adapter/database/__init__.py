"""The database: tables, migrations, and connections. `jobs`, `records` and `access` read and write it."""

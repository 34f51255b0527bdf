"""The database: its tables, how they came to be, and how it is opened. Who keeps what in it: `jobs`, `access`."""

"""Our own words: frozen structs and pure functions. No I/O, no framework, no vendor's names."""

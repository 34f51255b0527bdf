"""Our own words into OpenAI's. Pure: the same functions serve streamed and whole answers."""

"""Translates results to OpenAI's JSON. Pure: the same functions serve streamed and whole answers."""

"""Shore one: what clients see. OpenAI's words come in by `read`, go out by `write`; `routes` are the doors."""

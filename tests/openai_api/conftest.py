"""What streams are tried with: the use cases' own memory and time."""

from tests.generation.conftest import clock, memory, requests, studio

__all__ = ["clock", "memory", "requests", "studio"]

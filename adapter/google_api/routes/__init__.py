"""Litestar handlers of the Gemini API's routes. Each reads, calls one use case, and writes."""

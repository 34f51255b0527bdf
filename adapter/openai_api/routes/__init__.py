"""The doors: Litestar handlers, a file per endpoint. Each reads, calls one use case, and writes."""

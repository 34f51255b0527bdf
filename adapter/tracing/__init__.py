"""Traces by OpenTelemetry: one from a client's request to the call of a provider, and the jobs that come of it."""

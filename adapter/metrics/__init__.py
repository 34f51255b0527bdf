"""Metrics for Prometheus: what is counted, what is read when it is asked for, and the page `/metrics`."""

"""Google Flow, the aisandbox API: pictures at once, videos as jobs (seeds 002 and 004; reference: `flow.md`)."""

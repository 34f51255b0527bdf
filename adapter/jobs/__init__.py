"""The engine of jobs: the store, the pollers with their steps, and the feed for readers."""

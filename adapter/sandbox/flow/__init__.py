"""The Flow API: pictures at once, videos as jobs."""

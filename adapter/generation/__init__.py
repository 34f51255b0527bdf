"""The use cases: pictures at once, videos as jobs, and the files of both. Who does it arrives as a port."""

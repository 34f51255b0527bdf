"""Shore two: what Google sees. A provider is a folder; it knows its own wire, our domain words, and nothing else."""

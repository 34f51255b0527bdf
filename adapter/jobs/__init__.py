"""The memory of work: what was promised (store), the loop that keeps it (poller), and who is told (feed)."""

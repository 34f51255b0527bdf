"""What was carried out and paid for, and how it survives."""

"""The ledger of executions and credits, and its journal on disk."""

"""The journey: the ledger of touchpoints for outside systems and the owner."""

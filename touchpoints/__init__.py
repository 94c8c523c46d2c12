"""The customer's journey: the ledger of touchpoints, who is who in it, and what comes in from outside and goes out."""

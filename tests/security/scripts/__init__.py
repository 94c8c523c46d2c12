"""Payloads that try to run in a reader's browser, and the browser that counts whether one did."""

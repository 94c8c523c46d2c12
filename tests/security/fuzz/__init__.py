"""Calls that nobody would make: from the description, from hypothesis, and mutated bytes."""

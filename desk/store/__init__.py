"""The SQL of this package, one module a subject: rows in, frozen dataclasses out, always inside the caller's transaction."""

"""The agents' desk: its API and its one page."""

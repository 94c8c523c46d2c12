"""What Rasa learns from and runs with: a turn is a function of (text, state)."""

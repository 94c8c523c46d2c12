"""What runs the kit: its settings, and setting up, starting, watching and stopping its processes.

Standard library only, because it runs before anything is installed.
"""

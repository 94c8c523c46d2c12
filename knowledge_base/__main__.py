"""``python -m knowledge_base``."""

import os
import sys


def start() -> int:
    """Run the command with one thread for matrices: they are small, and threads that wait for each other cost more on a busy machine.

    While six other processes worked, an edit of 102 articles was live after 1.8 to 2.9 s with two threads, after 0.8 to 1.7 s with
    one. The libraries read these variables when they are loaded. The embedding model has threads of its own.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from .cli import main

    return main()


if __name__ == "__main__":
    sys.exit(start())

"""The bar of a long build: on stderr, only where it is wanted."""

from __future__ import annotations

import time

import pytest

from knowledge_base.progress import AFTER_S, progress_bar


@pytest.mark.parametrize("shown", [True, False])
def test_the_bar_of_a_long_build(capsys, shown):
    """It fills as texts are done; stdout stays for the outcome."""
    with progress_bar(shown) as told:
        told(0, 2_000)
        told(500, 0)
        time.sleep(AFTER_S + 0.1)
        told(1_500, 0)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert ("100%" in printed.err and "characters" in printed.err) == shown
    assert bool(printed.err) == shown

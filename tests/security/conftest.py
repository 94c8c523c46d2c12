"""The app as served, with an article for anyone and one for agents alone, and everyone of the matrix."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.kit_stand_in import Neighbours, neighbours


@pytest.fixture(scope="module")
def around() -> Iterator[Neighbours]:
    with neighbours() as server:
        yield server


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("security")

"""What the geometry's tests share."""

from collections.abc import Iterator

import mpmath
import pytest


@pytest.fixture(scope="module", autouse=True)
def many_digits() -> Iterator[None]:
    """Compare with 60 digits, whatever another test or library has set for the whole process."""
    with mpmath.workdps(60):
        yield

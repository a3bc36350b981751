"""One test for each wrong answer of a lecture's table."""

from __future__ import annotations


def pytest_generate_tests(metafunc):
    if "wrong" in metafunc.fixturenames:
        replies = metafunc.module.REPLIES
        metafunc.parametrize("wrong", replies, ids=[f"{key}-{part[:40]}" for key, _, part in replies])

from collections.abc import Iterator

import pytest

from tests.deployments.video.eye import Eye, open_eye


@pytest.fixture
def eye() -> Iterator[Eye]:
    with open_eye() as opened:
        yield opened

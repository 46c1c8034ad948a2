"""The README's tour works as printed."""

import json

import pytest

from tests.documents import Step, shape, tour
from tests.integration.conftest import Server

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]


@pytest.fixture(scope="module", params=tour(), ids=lambda step: step.command[:60])
def step(request: pytest.FixtureRequest) -> Step:
    found: Step = request.param
    return found


def test_a_step_of_the_tour_answers_in_the_printed_shape(step: Step, server: Server) -> None:
    assert shape(step.run(server.url)) == shape(json.loads(step.printed))

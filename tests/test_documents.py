import re
from pathlib import Path

import pytest

from tests.documents import ROOT, drawn, graphs, tour

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")])


@pytest.mark.parametrize("name", graphs())
def test_the_readme_shows_the_graphs_that_run(name: str) -> None:
    assert graphs()[name].strip() == drawn(name).strip()


def test_the_tour_visits_all_three_model_systems() -> None:
    commands = " ".join(step.command for step in tour())
    assert all(route in commands for route in ("recognize", "answer", "recommend", "moment", "script"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []

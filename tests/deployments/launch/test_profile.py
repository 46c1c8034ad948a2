import re
from pathlib import Path

import pytest
import ray

from deployments.launch.profile import TUNED_PROFILE

RAY = Path(ray.__file__).parent
# read by Ray's C++ processes, by other libraries, or spelled as a default in another form
ELSEWHERE = {"RAY_enable_metrics_collection", "SPT_NOENV", "TOKENIZERS_PARALLELISM", "RAY_AUTH_MODE", "RAY_worker_niceness"}


@pytest.fixture(scope="module")
def names_in_ray() -> set[str]:
    folders = [RAY / "serve" / "_private", RAY / "_private", RAY / "_common"]
    text = "".join(path.read_text(encoding="utf-8") for folder in folders for path in folder.rglob("*.py"))
    return set(re.findall(r'"(_{0,2}RAY_[A-Z_0-9]+)"', text))


def test_every_name_is_one_that_the_pinned_ray_reads(names_in_ray: set[str]) -> None:
    assert set(TUNED_PROFILE) - ELSEWHERE - names_in_ray == set()


def test_ray_core_knows_the_switches_that_it_reads_itself() -> None:
    raylet = (RAY / "core" / "src" / "ray" / "raylet" / "raylet").read_bytes()
    assert b"enable_metrics_collection" in raylet
    assert b"worker_niceness" in raylet

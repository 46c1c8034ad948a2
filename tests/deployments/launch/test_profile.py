import re
from pathlib import Path

import pytest
import ray

from deployments.launch.profile import TUNED_PROFILE, writer_environment
from deployments.settings import WriterConfig

RAY = Path(ray.__file__).parent
# read by Ray's C++ processes, by other libraries, or spelled as a default in another form
ELSEWHERE = {"RAY_enable_metrics_collection", "SPT_NOENV", "TOKENIZERS_PARALLELISM", "RAY_AUTH_MODE"}


@pytest.fixture(scope="module")
def names_in_ray() -> set[str]:
    folders = [RAY / "serve" / "_private", RAY / "_private", RAY / "_common"]
    text = "".join(path.read_text(encoding="utf-8") for folder in folders for path in folder.rglob("*.py"))
    return set(re.findall(r'"(_{0,2}RAY_[A-Z_0-9]+)"', text))


def test_every_name_is_one_that_the_pinned_ray_reads(names_in_ray: set[str]) -> None:
    assert set(TUNED_PROFILE) - ELSEWHERE - names_in_ray == set()


def test_ray_core_knows_the_switch_that_it_reads_itself() -> None:
    raylet = (RAY / "core" / "src" / "ray" / "raylet" / "raylet").read_bytes()
    assert b"enable_metrics_collection" in raylet


def test_a_model_in_a_folder_needs_no_hub(tmp_path: Path) -> None:
    assert writer_environment(WriterConfig(model=str(tmp_path)))["HF_HUB_OFFLINE"] == "1"
    assert "HF_HUB_OFFLINE" not in writer_environment(WriterConfig(model="Qwen/Qwen3-0.6B"))


def test_the_cache_size_is_a_whole_number_of_gib_or_left_to_vllm() -> None:
    assert writer_environment(WriterConfig(kv_cache_gib=0.25))["VLLM_CPU_KVCACHE_SPACE"] == "1"
    assert "VLLM_CPU_KVCACHE_SPACE" not in writer_environment(WriterConfig(kv_cache_gib=None))

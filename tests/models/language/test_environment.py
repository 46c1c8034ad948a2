from pathlib import Path

from models.language.environment import writer_environment


def test_a_model_in_a_folder_needs_no_hub(tmp_path: Path) -> None:
    assert writer_environment(tmp_path)["HF_HUB_OFFLINE"] == "1"
    assert "HF_HUB_OFFLINE" not in writer_environment("Qwen/Qwen3-0.6B")


def test_the_cache_size_is_left_to_the_settings() -> None:
    assert "VLLM_CPU_KVCACHE_SPACE" not in writer_environment("Qwen/Qwen3-0.6B")


def test_threads_are_given_only_when_named() -> None:
    assert writer_environment("x", threads=2)["OMP_NUM_THREADS"] == "2"
    assert "OMP_NUM_THREADS" not in writer_environment("x")

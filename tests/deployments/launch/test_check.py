"""An edit that names a detector which cannot be loaded is refused before anything is deployed."""

from pathlib import Path

import pytest

from deployments.launch.check import require_loadable
from deployments.launch.errors import ConfigRefusedError
from deployments.launch.plan import plan


def document(**user_config: object) -> dict[str, object]:
    return {"applications": [{"name": "livecart", "deployments": [{"name": "Detector", "user_config": user_config}]}]}


def refusal(**user_config: object) -> str:
    edited = document(**user_config)
    with pytest.raises(ConfigRefusedError) as caught:
        require_loadable(plan(document(), edited), edited)
    return str(caught.value)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    said = refusal(detector=str(tmp_path / "absent"))
    assert str(tmp_path / "absent") in said
    assert "Nothing was deployed" in said


def test_a_setting_that_does_not_exist_is_named() -> None:
    assert "min_scroe" in refusal(min_scroe=0.4)


def test_a_detector_that_loads_passes() -> None:
    edited = document(min_score=0.4)
    require_loadable(plan(document(), edited), edited)


def test_an_edit_of_something_else_opens_nothing(tmp_path: Path) -> None:
    edited = document(detector=str(tmp_path / "absent"))
    require_loadable(plan(edited, edited), edited)

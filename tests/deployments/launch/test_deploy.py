from pathlib import Path

from deployments.launch.deploy import DeploymentState, failure

TRACEBACK = (
    "The deployment failed to start 2 times in a row. Error:\n\x1b[36mray::Writer\x1b[39m\n  File 'ray.py'\n"
    "RuntimeError: Traceback (most recent call last):\n  File 'writer.py', line 3\nModelError: no such checkpoint: /w\n"
)


def row(name: str, status: str, message: str = "", *, running: int = 1, wanted: int = 1) -> DeploymentState:
    return DeploymentState(name, status, running, wanted, message)


def test_the_cause_comes_first_then_the_traceback_and_the_end_of_the_log(tmp_path: Path) -> None:
    (tmp_path / "serve").mkdir()
    (tmp_path / "serve" / "replica_livecart_Writer_x.log").write_text("one\ntwo\n", encoding="utf-8")
    text = failure("", [row("Ingress", "HEALTHY"), row("Writer", "DEPLOY_FAILED", TRACEBACK)], tmp_path)
    assert text.startswith("Writer: ModelError: no such checkpoint: /w\n")
    assert "ray.py" not in text
    assert text.endswith("one\ntwo")
    assert "Ingress" not in text


def test_a_deployment_that_waits_for_resources_says_so(tmp_path: Path) -> None:
    text = failure("", [row("Writer", "UPDATING", "needs {'GPU': 1}, available {}", running=0)], tmp_path)
    assert text.startswith("Writer: needs {'GPU': 1}, available {}")


def test_without_a_bad_deployment_the_applications_message_is_shown(tmp_path: Path) -> None:
    assert failure("settings: extra fields\n", [], tmp_path) == "settings: extra fields"
    assert "readyz" in failure("", [row("Ingress", "HEALTHY")], tmp_path)

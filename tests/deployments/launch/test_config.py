from pathlib import Path

import pytest

from deployments.launch.config import FrontEnd, read_front_end
from deployments.launch.errors import ConfigRefusedError
from deployments.launch.schema import read_schema

APPLICATION = "applications: [{name: livecart, import_path: 'deployments.app:build', route_prefix: /}]\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "serve_config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_listens_on_loopback_and_8000_unless_told_otherwise(tmp_path: Path) -> None:
    assert read_front_end(write(tmp_path, APPLICATION)) == FrontEnd("127.0.0.1", 8000)
    assert read_front_end(write(tmp_path, "http_options: {host: localhost, port: 9000}")) == FrontEnd("127.0.0.1", 9000)
    assert read_front_end(write(tmp_path, "http_options: {port: 9000}"), port=9001).port == 9001


def test_another_address_needs_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("LIVECART_KEYS", "LIVECART_KEYS_FILE"):
        monkeypatch.delenv(variable, raising=False)
    path = write(tmp_path, "http_options: {host: 0.0.0.0}")
    with pytest.raises(ConfigRefusedError, match="no key is configured"):
        read_front_end(path)
    monkeypatch.setenv("LIVECART_KEYS", "caller:x")
    assert read_front_end(path).url == "http://127.0.0.1:8000"


def test_an_ipv6_address_is_written_in_brackets() -> None:
    assert FrontEnd("::1", 8000).url == "http://[::1]:8000"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[1, 2]", "not a mapping"),
        ("a: [", "cannot be read as YAML"),
        ("http_options: 8000", "must be a mapping"),
        ("http_options: {host: shop.example}", "must name an IP address"),
        ("http_options: {port: many}", "must name an IP address and a port"),
    ],
)
def test_a_malformed_file_is_refused_with_its_reason(tmp_path: Path, text: str, found: str) -> None:
    with pytest.raises(ConfigRefusedError, match=found):
        read_front_end(write(tmp_path, text))


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigRefusedError, match=r"nowhere\.yaml does not exist"):
        read_front_end(tmp_path / "nowhere.yaml")


def test_replicas_stay_on_loopback_whatever_the_file_says(tmp_path: Path) -> None:
    schema = read_schema(write(tmp_path, "http_options: {host: 0.0.0.0, port: 1}\n" + APPLICATION), port=8123)
    assert (schema.http_options.host, schema.http_options.port) == ("127.0.0.1", 8123)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("applications: [{name: shop, import_path: 'deployments.app:build'}]", "exactly one application named 'livecart'"),
        ("applications: []", "exactly one application"),
        ("applications: [{name: livecart, import_path: 'other:app'}]", "import_path must be 'deployments.app:build'"),
        (
            "applications: [{name: livecart, import_path: 'deployments.app:build', deployments: [{name: Writer, num_replicas: -1}]}]",
            "is not a Ray Serve configuration",
        ),
    ],
)
def test_what_ray_serve_would_not_serve_as_livecart_is_refused(tmp_path: Path, text: str, found: str) -> None:
    with pytest.raises(ConfigRefusedError, match=found):
        read_schema(write(tmp_path, text), port=8000)

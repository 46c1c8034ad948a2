"""The OpenAPI document is true: schemathesis finds no 5xx and no answer that it does not tell, over a port, with keys."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deployments.ingress.auth import Auth, new_key, parse_key
from tests.deployments.cli.served import served
from tests.fuzzing import fuzz
from tests.hostile_requests import SHOP

KEY = new_key("operator", "fuzzer")


@pytest.fixture
def url(empty_database: Path, tmp_path: Path) -> Iterator[str]:
    shutil.copy(empty_database, tmp_path / "livecart.db")
    with served(tmp_path, Auth([parse_key(KEY.line)])) as found:
        with httpx.Client(base_url=found, timeout=60, headers={"Authorization": f"Bearer {KEY.secret}"}) as http:
            for method, path, body in SHOP:
                http.request(method, path, json=body).raise_for_status()
        yield found


def test_some_requests_to_each_route(url: str) -> None:
    fuzz(url, "--phases", "examples,fuzzing", "--max-examples", "1", "--seed", "1", key=KEY.secret)


@pytest.mark.slow
def test_each_limit_of_each_field_and_more_requests(url: str) -> None:
    fuzz(url, "--max-examples", "5", "--seed", "2", key=KEY.secret)

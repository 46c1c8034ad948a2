"""The client stands alone: httpx and pydantic are all it needs, and it is a package of its own."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pytest

from livecart_client import errors
from livecart_client.pictures import encoded

ROOT = Path(__file__).resolve().parents[2]
ALLOWED = ("httpx", "httpcore", "h11", "anyio", "sniffio", "idna", "certifi", "pydantic", "pydantic_core", "annotated_types",
           "typing_extensions", "typing_inspection", "livecart_client")  # fmt: skip  # the two, and what they stand on
BLOCKING = """
import sys
from importlib.abc import MetaPathFinder
allowed = set(sys.argv[1].split(",")) | sys.stdlib_module_names
class Block(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in allowed and not top.startswith("_sysconfigdata"):  # generated for each platform
            raise ModuleNotFoundError(f"{name} is blocked", name=name)
sys.meta_path.insert(0, Block())
"""
USING = """
import httpx, livecart_client
from livecart_client import AsyncClient, Client, RetryPolicy, errors
reply = lambda request: httpx.Response(200, json={"status": "ok"})
with Client(transport=httpx.MockTransport(reply)) as client:
    assert client.healthz().status == "ok"
    try:
        client.products.get("a b")
    except errors.InvalidRequest as error:
        print(error)
"""
WIRE_ONLY = """
import livecart_client.wire
assert "httpx" not in sys.modules, "the server would wait for an HTTP client"
"""


def run(code: str) -> str:
    command = [sys.executable, "-c", BLOCKING + code, ",".join(ALLOWED)]
    done = subprocess.run(command, cwd=ROOT / "clients", capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_httpx_and_pydantic_suffice() -> None:
    assert "product_id" in run(USING)


def test_the_wire_models_alone_bring_no_http_client() -> None:
    run(WIRE_ONLY)


def test_its_version_is_the_projects() -> None:
    versions = [tomllib.loads((folder / "pyproject.toml").read_text())["project"]["version"] for folder in (ROOT, ROOT / "clients")]
    assert versions[0] == versions[1]


def test_it_is_built_as_a_package_of_its_own_and_with_the_project(tmp_path: Path) -> None:
    """Built by setuptools itself, in a copy: a build leaves files behind."""
    copy = tmp_path / "clients"
    for file in [ROOT / "clients" / "pyproject.toml", *(ROOT / "clients" / "livecart_client").rglob("*")]:
        if file.is_file() and "__pycache__" not in file.parts:
            target = copy / file.relative_to(ROOT / "clients")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())
    code = "import sys; from setuptools.build_meta import build_wheel; print(build_wheel(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=copy, capture_output=True, text=True, check=True, timeout=120)
    with zipfile.ZipFile(tmp_path / done.stdout.split()[-1]) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info" not in name}
    sources = {
        str(file.relative_to(copy)) for file in (copy / "livecart_client").rglob("*") if file.suffix == ".py" or file.name == "py.typed"
    }
    assert names == sources


def test_the_project_still_finds_it() -> None:
    code = "from setuptools import find_packages; print(' '.join(find_packages('clients', include=['livecart_client*'])))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    folders = {file.parent for file in (ROOT / "clients" / "livecart_client").rglob("__init__.py")}
    assert set(done.stdout.split()) == {".".join(folder.relative_to(ROOT / "clients").parts) for folder in folders}


@pytest.mark.parametrize(
    "wrong", [np.zeros((4, 4, 3)), np.zeros((4, 4, 4), np.uint8), np.zeros((0, 4), np.uint8), np.zeros(4, np.uint8), 7]
)
def test_what_is_no_picture_is_refused_with_what_it_is(wrong: object) -> None:
    with pytest.raises(errors.InvalidRequest, match=r"float64|uint8|int"):
        encoded(wrong)  # type: ignore[arg-type]  # that is what is tried


def test_grey_arrays_are_pictures() -> None:
    assert encoded(np.zeros((4, 6), np.uint8))[:3] == b"\xff\xd8\xff"


def test_a_name_that_is_none_of_the_package() -> None:
    import livecart_client  # noqa: PLC0415  # its attributes are what is tried

    with pytest.raises(AttributeError, match="Client"):
        livecart_client.Clint  # noqa: B018

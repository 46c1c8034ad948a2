"""Hostile pictures through every door of the ingress: an answer or an error of the tree, never a 5xx, and the next picture is seen."""

import base64
import json

import httpx
import numpy as np
import pytest
from fastapi import FastAPI

from deployments.ingress.fakes import FakeModels
from deployments.ingress.oip.messages import HEADER_LENGTH
from livecart_client import wire
from tests.deployments.ingress.camera import FRAME, P1, SESSION, Camera, Clock
from tests.deployments.ingress.conftest import Client
from tests.deployments.ingress.sockets import Socket
from tests.hostile_pictures import PICTURES, Fate, HostilePicture
from tests.hostile_requests import FILE, FORM, form

SMALL = [picture for picture in PICTURES if len(picture.content) < 20_000 and "megapixels" not in picture.name]  # the rest is the decoder's
REFUSALS = {400: "invalid_request", 413: "payload_too_large", 415: "unsupported_media"}


def check(picture: HostilePicture, door: str, response: httpx.Response) -> None:
    about = f"{picture.name} at {door}: {response.status_code} {response.text[:200]}"
    if response.is_success:
        assert picture.fate is not Fate.REFUSED, about
        return
    assert picture.fate is not Fate.SEEN, about
    assert wire.ErrorReply.model_validate_json(response.content).error.code == REFUSALS[response.status_code], about


def kind_of(picture: HostilePicture) -> str:
    """What its sender takes it for."""
    return next((f"image/{name}" for name in ("jpeg", "png", "webp") if picture.name.lower().startswith(name)), "image/jpeg")


async def test_recognition_in_three_forms(shop: Client) -> None:
    for picture in SMALL:
        content = picture.content
        encoded = base64.b64encode(content).decode()
        parts = form(("frame", FILE, content))
        check(picture, "form", await shop.post("/v1/recognize", content=parts, headers=FORM))
        check(picture, "JSON", await shop.post("/v1/recognize", json={"frame": {"base64": encoded or "="}}))
        check(picture, "raw", await shop.post("/v1/recognize", content=content, headers={"Content-Type": kind_of(picture)}))
    assert (await shop.post("/v1/recognize", content=FRAME, headers={"Content-Type": "image/jpeg"})).is_success


async def test_a_moment(shop: Client) -> None:
    for picture in SMALL:
        body = {"frame": {"base64": base64.b64encode(picture.content).decode() or "="}, "viewer_id": "V-1"}
        check(picture, "moment", await shop.post("/v1/moment", json=body))


async def test_enrolment(shop: Client) -> None:
    for picture in SMALL:
        parts = form(("image", FILE, picture.content))
        check(picture, "enrolment", await shop.post("/v1/products/P-1/images", content=parts, headers=FORM))


def tensor(content: bytes) -> tuple[bytes, dict[str, str]]:
    """An `image` of the Open Inference Protocol: four bytes of length, then the bytes."""
    data = np.uint32(len(content)).tobytes() + content
    head = {"inputs": [{"name": "image", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": len(data)}}]}
    text = json.dumps(head).encode()
    return text + data, {HEADER_LENGTH: str(len(text)), "Content-Type": "application/octet-stream"}


@pytest.mark.parametrize("model", ["detector", "embedder", "recognize"])
async def test_tensors(shop: Client, model: str) -> None:
    for picture in SMALL:
        content, headers = tensor(picture.content)
        response = await shop.post(f"/v2/models/{model}/infer", content=content, headers=headers)
        about = f"{picture.name}: {response.status_code} {response.text[:200]}"
        assert response.status_code in {Fate.SEEN: (200,), Fate.REFUSED: REFUSALS, Fate.EITHER: (200, *REFUSALS)}[picture.fate], about
        assert response.is_success or set(response.json()) == {"error"}, about


async def test_a_room_session(app: FastAPI, shop: Client, clock: Clock, models: FakeModels) -> None:
    refused = [picture for picture in SMALL if picture.fate is Fate.REFUSED]
    async with Socket(app, SESSION) as socket:
        for picture in refused:
            socket.picture(picture.content)
            heard = wire.SessionError.model_validate(await socket.hear())
            assert heard.error.code in REFUSALS.values(), picture.name
        await Camera(app, clock, models, socket).show(P1, P1)
        assert (await socket.hear())["type"] == "products"

"""Endless seeded groups of drawn product crops for the embedder's training, made on the fly in worker processes."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from random import Random

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  # the field's name for it
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter
from torch import Tensor
from torch.utils.data import IterableDataset

from models.demo.drawing import scene
from models.demo.drawing.look import EMBLEMS, PATTERNS, Look, random_look
from models.demo.drawing.views import numbered_view, render
from models.training.pictures import worker_rng
from models.training.weather import compressed

CROP_SPRITE_PX = 88


class CropStream(IterableDataset[Tensor]):
    """Groups of crops of one product: uint8 (looks, views, 3, side, side) a step, many of the looks hard to tell apart."""

    def __init__(self, *, seed: int, side_px: int, looks: int, views: int, first: int = 0) -> None:
        self.seed = seed
        self.side_px = side_px
        self.looks = looks
        self.views = views
        self.first = first

    def __iter__(self) -> Iterator[Tensor]:
        rng = worker_rng(self.seed, self.first)
        backdrops = [scene.stage(rng, (160, 160)).picture for _ in range(48)]
        while True:
            backdrops[rng.randrange(len(backdrops))] = scene.stage(rng, (160, 160)).picture
            looks = similar_looks(rng, self.looks)
            yield torch.stack([crops_of(look, rng, backdrops, views=self.views, side_px=self.side_px) for look in looks])


def twice(stream: Iterable[Tensor], *, seed: int) -> Iterator[Tensor]:
    """Each batch of crops and, after it, a recent one shaken. Runs where the training does: `grid_sample` crashes in a forked worker."""
    rng = Random(seed)
    recent: deque[Tensor] = deque(maxlen=8)
    for fresh in stream:
        yield fresh
        recent.append(fresh)
        yield shaken(rng.choice(recent), rng)


def shaken(crops: Tensor, rng: Random) -> Tensor:
    """The same crops, uint8 (looks, views, 3, side, side), each turned, moved and lit a little differently."""
    flat = crops.flatten(0, 1).float()
    generator = torch.Generator().manual_seed(rng.randrange(2**31))
    noise = torch.rand(len(flat), 7, generator=generator) * 2 - 1
    angle, scale = noise[:, 0] * 0.16, 1 + noise[:, 1] * 0.1
    rows = (
        torch.stack((angle.cos() * scale, -angle.sin() * scale, noise[:, 2] * 0.1), dim=1),
        torch.stack((angle.sin() * scale, angle.cos() * scale, noise[:, 3] * 0.1), dim=1),
    )
    grid = F.affine_grid(torch.stack(rows, dim=1), list(flat.shape), align_corners=False)
    gains = 1 + noise[:, 4:, None, None] * 0.12
    moved = F.grid_sample(flat, grid, padding_mode="border", align_corners=False) * gains
    return moved.clamp(0, 255).to(torch.uint8).reshape(crops.shape)


def similar_looks(rng: Random, count: int) -> list[Look]:
    """Half of them come in fours that share the family and, mostly, the colours or the print."""
    looks: list[Look] = []
    while len(looks) < count:
        base = random_look(rng)
        looks.append(base)
        if rng.random() < 0.33:
            looks += [_sibling(base, rng) for _ in range(3)]
    return looks[:count]


def crops_of(look: Look, rng: Random, backdrops: list[Image.Image], *, views: int, side_px: int) -> Tensor:
    """uint8 (views, 3, side, side): the product as a detector would cut it out of rooms and shop pictures."""
    return torch.stack([_crop(look, rng, backdrops, side_px, frontal=view == 0) for view in range(views)])


def _crop(look: Look, rng: Random, backdrops: list[Image.Image], side_px: int, *, frontal: bool) -> Tensor:
    view = numbered_view(0 if frontal and rng.random() < 0.5 else rng.randrange(1, 6), seed=rng.randrange(2**31))
    sprite = render(look, view, CROP_SPRITE_PX)
    sprite = sprite.crop(sprite.getbbox() or (0, 0, CROP_SPRITE_PX, CROP_SPRITE_PX))
    wide, tall = sprite.size
    room = _backdrop(rng, backdrops, frontal=frontal).resize((wide * 2, tall * 2))
    room.paste(sprite, (wide // 2, tall // 2), sprite)
    if not frontal and rng.random() < 0.5:
        _occlude(room, rng)
    edges = [rng.gauss(0.05, 0.045) for _ in range(4)]
    box = (wide * (0.5 - edges[0]), tall * (0.5 - edges[1]), wide * (1.5 + edges[2]), tall * (1.5 + edges[3]))
    cut = room.resize((side_px, side_px), Image.Resampling.BILINEAR, box=box)
    return torch.from_numpy(np.asarray(degraded(cut, rng)).copy()).permute(2, 0, 1)


def _backdrop(rng: Random, backdrops: list[Image.Image], *, frontal: bool) -> Image.Image:
    if frontal and rng.random() < 0.6:
        return scene.plain(rng, (64, 64), (32.0, 48.0, 32.0))
    backdrop = rng.choice(backdrops)
    left, top, side = rng.uniform(0, 60), rng.uniform(0, 60), rng.uniform(40, 100)
    return backdrop.crop((int(left), int(top), int(left + side), int(top + side)))


def _occlude(room: Image.Image, rng: Random) -> None:
    """Fingers or a chat line over a part of the product."""
    if rng.random() < 0.6:
        wide, tall = room.size
        scene.grip(room, (wide // 4, tall // 4, wide * 3 // 4, tall * 3 // 4), rng.choice(scene.SKINS), rng)
        return
    top = rng.uniform(0.3, 0.7) * room.height
    colour = tuple(rng.randrange(256) for _ in range(3))
    ImageDraw.Draw(room).rounded_rectangle((0, top, room.width * rng.uniform(0.3, 0.9), top + room.height * 0.05), 4, fill=colour)


def degraded(cut: Image.Image, rng: Random) -> Image.Image:
    """What a room's camera and its encoder do: exposure, colour, low resolution, blur, compression."""
    cut = ImageEnhance.Brightness(cut).enhance(rng.uniform(0.72, 1.22))
    cut = ImageEnhance.Contrast(cut).enhance(rng.uniform(0.8, 1.2))
    if rng.random() < 0.4:
        small = round(cut.width * rng.uniform(0.4, 1.0))
        cut = cut.resize((small, small), Image.Resampling.BILINEAR).resize(cut.size, Image.Resampling.BILINEAR)
    if rng.random() < 0.15:
        cut = cut.filter(ImageFilter.BoxBlur((rng.uniform(0, 3), rng.uniform(0, 1))))
    return compressed(cut, rng)


def _sibling(base: Look, rng: Random) -> Look:
    other = random_look(rng, category=base.category)
    change = rng.randrange(4)
    if change == 0:
        return replace(base, body=other.body, accent=other.accent, seed=other.seed)
    if change == 1:
        return replace(base, emblem=rng.choice(EMBLEMS), layout=(base.layout + 1) % 4, paper=other.paper, ink=other.ink)
    if change == 2:
        return replace(base, pattern=rng.choice(PATTERNS), emblem=rng.choice(EMBLEMS), accent=other.accent)
    return replace(other, family=base.family)

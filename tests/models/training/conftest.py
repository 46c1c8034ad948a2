"""A small album of pictures on disk."""

from pathlib import Path

import pytest
from PIL import Image


@pytest.fixture
def listing(tmp_path: Path) -> Path:
    """A CSV with the columns path,product_id: five pictures of each of five products."""
    rows = ["path,product_id"]
    for product in range(5):
        for number in range(5):
            Image.effect_noise((48 + number, 48), 30).convert("RGB").save(tmp_path / f"{product}-{number}.jpg")
            rows.append(f"{product}-{number}.jpg,product-{product}")
    path = tmp_path / "photographs.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def picture() -> Image.Image:
    return Image.effect_noise((160, 160), 80).convert("RGB")

"""Ids that a file's documents get: the same file read again gives the same ids to the same places."""

import re
from collections import Counter
from collections.abc import Iterable
from hashlib import sha256

from deployments.knowledge.passages import Passage

READABLE = 60  # characters of a file's name in its ids
_UNFIT = re.compile(r"[\x00-\x20\x7f/\\?#%:@\ud800-\udfff]")


def file_key(name: str, product_id: str | None) -> str:
    """What the ids of a file's documents begin with, up to their first `:`; other names and products give other keys.

    >>> file_key("care.md", None), file_key("care.md", "p1"), file_key("使用 说明.md", None)
    ('care.md', 'care.md@f64551fc', '使用-说明.md~8825e43b')
    """
    plain = _UNFIT.sub("-", name)[:READABLE].strip(".") or "file"
    mark = "" if plain == name else f"~{_hash(name)}"
    return f"{plain}{mark}" + (f"@{_hash(product_id)}" if product_id else "")


def passage_ids(key: str, passages: Iterable[Passage]) -> list[str]:
    """By heading and number within it; a question's by its words."""
    return numbered(key, ("q" + passage.question if passage.question else "h" + "\n".join(passage.headings) for passage in passages))


def numbered(key: str, places: Iterable[str]) -> list[str]:
    """`key:hash:number`, the number counting equal places."""
    seen: Counter[str] = Counter()
    ids: list[str] = []
    for place in places:
        seen[place] += 1
        ids.append(f"{key}:{_hash(place)}:{seen[place]}")
    return ids


def _hash(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]

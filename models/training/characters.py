"""Make `graphs/data/characters.json`: how a Chinese character is written traditionally and how it sounds.

Compliance checks read a text past its disguises with this table (`graphs/compliance/folding.py`). It is computed once, from OpenCC
(Apache-2.0) and pypinyin (MIT), which serving does not need; the table changes only when GB 2312 does:

    pip install opencc-python-reimplemented pypinyin
    python -m models.training.characters graphs/data/characters.json
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

_COMMON_ROWS = range(0xB0, 0xD8)  # of GB 2312: the characters of everyday writing
_RARE_ROWS = range(0xD8, 0xF8)
_CELLS = range(0xA1, 0xFF)
_UNIFIED = range(0x3400, 0xA000)


def characters() -> dict[str, object]:
    """`traditional` and `simplified`: two strings, character by character. `common` and `rare`: syllable without tone -> characters."""
    from opencc import OpenCC  # type: ignore[import-not-found]  # noqa: PLC0415 - needed here only, not by the platform
    from pypinyin import lazy_pinyin  # type: ignore[import-not-found]  # noqa: PLC0415

    simple = OpenCC("t2s")
    pairs = [(chr(code), simple.convert(chr(code))) for code in _UNIFIED]
    folded = [(old, new) for old, new in pairs if old != new and len(new) == 1]
    table: dict[str, object] = {"traditional": "".join(old for old, _ in folded), "simplified": "".join(new for _, new in folded)}
    for name, rows in (("common", _COMMON_ROWS), ("rare", _RARE_ROWS)):
        sounds: dict[str, str] = defaultdict(str)
        for character in _gb2312(rows):
            sounds[lazy_pinyin(character)[0].replace("ü", "v")] += character
        table[name] = dict(sorted(sounds.items()))
    return table


def _gb2312(rows: range) -> list[str]:
    cells = (bytes((row, cell)).decode("gb2312", errors="ignore") for row in rows for cell in _CELLS)
    return [character for character in cells if character]


def main() -> None:
    target = Path(sys.argv[1])
    target.write_text(json.dumps(characters(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {target}")


if __name__ == "__main__":
    main()

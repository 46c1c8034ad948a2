"""The list of the rules in docs/compliance.md, made from the data.

python -m tests.graphs.compliance.page    # write it
"""

from pathlib import Path

from graphs.compliance.rules import RuleRow, Severity, rule_rows

PAGE = Path(__file__).resolve().parents[3] / "docs" / "compliance.md"
_MARK = "<!-- rules: written by python -m tests.graphs.compliance.page -->\n"
_SEVERITY: dict[Severity, str] = {
    "forbidden": "never lawful",
    "unproven": "lawful with its proof in the same sentence",
    "note": "told, but the text passes",
}


def written() -> str:
    """The page with the list of the rules as they are."""
    head, _, _ = PAGE.read_text(encoding="utf-8").partition(_MARK)
    return head + _MARK + "".join(map(_section, rule_rows()))


def _section(row: RuleRow) -> str:
    lines = [
        f"\n### `{row['rule']}`",
        f"{row['about']['en']}. {row['about']['zh']}。 ({_SEVERITY[row['severity']]})\n",
        f"- Law: {'; '.join((*row['law']['zh'], *row['law']['en']))}.",
        f"- Advice: {row['advice']['en']} {row['advice']['zh']}",
        f"- Found: {_quoted(row['examples']['found'])}",
        f"- Fine: {_quoted(row['examples']['fine'])}",
    ]
    return "\n".join(lines) + "\n"


def _quoted(texts: object) -> str:
    return ", ".join(f"`{text}`" for text in texts) if isinstance(texts, list) else ""


if __name__ == "__main__":
    PAGE.write_text(written(), encoding="utf-8")

"""From hetPQA and semiPQA (Shen et al., ECNLP 2022) to the files that `livecart` reads: `python -m benchmarks.product_qa SOURCE OUT`.

SOURCE is the folder of the data set (CDLA-Sharing-1.0). Written to OUT: `hetpqa.jsonl` and `semipqa.jsonl`, the ranking dev files for
`livecart evaluate retrieval`, and `pairs.jsonl`, hetPQA's training questions with the evidence that answers them, for
`livecart train reranker`; what is asked in the dev file is left out of it.
"""

import argparse
import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

RANKING = {"hetpqa": "hetpqa/evidence_ranking/dev.csv", "semipqa": "semipqa/attribute_ranking/dev.csv"}
TRAINING = "hetpqa/answer_generation/train.csv"


def rows_of(path: Path) -> list[dict[str, str]]:
    """Tab-separated with a header, quoted the csv way."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def questions_of(rows: Iterable[Mapping[str, str]]) -> list[dict[str, object]]:
    """One object for each question id, its candidates in the file's order."""
    of_question: dict[str, list[Mapping[str, str]]] = {}
    for row in rows:
        of_question.setdefault(row["qid"], []).append(row)
    return [
        {
            "question": group[0]["question"],
            "candidates": [row["candidate"] for row in group],
            "relevant": [place for place, row in enumerate(group) if row["label"] == "1"],
        }
        for group in of_question.values()
    ]


def pairs_of(rows: Iterable[Mapping[str, str]], judged: Iterable[Mapping[str, str]]) -> list[dict[str, object]]:
    """Training pairs whose question nobody asks in the judged rows: that leaves out the triples which both files share, too."""
    asked = {row["question"] for row in judged}
    return [
        {"question": row["question"], "evidence": row["candidate"], "answer": row["answer"], "product": row["ASIN"]}
        for row in rows
        if row["question"] not in asked and row["candidate"].strip()
    ]


def write(path: Path, objects: Iterable[Mapping[str, object]]) -> None:
    lines = [json.dumps(each, ensure_ascii=False) for each in objects]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    print(f"{path}: {len(lines)} lines")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    judged = {name: rows_of(options.source / path) for name, path in RANKING.items()}
    for name, rows in judged.items():
        write(options.out / f"{name}.jsonl", questions_of(rows))
    write(options.out / "pairs.jsonl", pairs_of(rows_of(options.source / TRAINING), (row for rows in judged.values() for row in rows)))


if __name__ == "__main__":
    main()

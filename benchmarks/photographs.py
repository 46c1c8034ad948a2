"""What the eye is worth on real photographs, written into docs/evaluation.md with the picture of what fails.

python -m benchmarks.photographs PHOTOS [--out FOLDER] [--detector NAME] [--embedder NAME] [--listings-only]

PHOTOS is the folder `dataset` of the GroceryStoreDataset (Klasson et al., WACV 2019): train.txt, val.txt, classes.csv and the pictures.
"""

import argparse
import csv
import json
import platform
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "evaluation.md"
PICTURE = ROOT / "docs" / "pictures" / "photographs.jpg"
BOXES = ROOT / "benchmarks" / "data" / "grocery_boxes.json"
PHOTOGRAPHS_ENROLLED = 5  # a product, besides its catalogue picture
FRAMES = "200"  # drawn ones
SHELVES = ("10", "30")
DETECTION = ("ap", "ap50", "ap75", "recall", "recall_20", "recall_at_precision_90", "seconds_per_frame")
RANKS = ("rank1", "rank5", "map")
STRANGERS = ("false_accept", "false_reject", "mistaken", "false_reject_at_fa_0.01", "false_reject_at_fa_0.05", "false_reject_at_fa_0.10")
Report = Mapping[str, object]


def write_listings(photos: Path, out: Path, *, seed: int = 0) -> None:
    """`enrol.csv`: of each class its catalogue picture and 5 random training photographs; `queries.csv`: the validation photographs."""
    training: dict[str, list[str]] = {}
    for line in (photos / "train.txt").read_text(encoding="utf-8").splitlines():
        path, product, _ = line.split(", ")
        training.setdefault(product, []).append(path)
    rng = Random(seed)
    with (photos / "classes.csv").open(encoding="utf-8", newline="") as lines:
        catalogue = {row["Class ID (int)"]: row["Iconic Image Path (str)"].lstrip("/") for row in csv.DictReader(lines)}
    enrolled = [
        (path, product) for product, icon in catalogue.items() for path in (icon, *rng.sample(training[product], PHOTOGRAPHS_ENROLLED))
    ]
    sought = [line.split(", ")[:2] for line in (photos / "val.txt").read_text(encoding="utf-8").splitlines()]
    out.mkdir(parents=True, exist_ok=True)
    for name, rows in (("enrol", enrolled), ("queries", sought)):
        with (out / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("path", "product_id"), *rows])


def filled(text: str, name: str, content: str) -> str:
    """The document with what stands between `<!-- name -->` and `<!-- /name -->` replaced.

    >>> filled("a <!-- b --> old <!-- /b --> c", "b", "new")
    'a <!-- b -->\\nnew\\n<!-- /b --> c'
    """
    marked = re.compile(rf"(<!-- {name} -->).*?(<!-- /{name} -->)", re.DOTALL)
    return marked.sub(lambda found: f"{found[1]}\n{content}\n{found[2]}", text)


def detection_table(reports: Mapping[str, Report]) -> str:
    """Markdown, one line per set of pictures."""
    heads = ("pictures", "frames", "boxes", *(name.replace("_", " ") for name in DETECTION))
    return _markdown(heads, [(name, *_cells(report, ("frames", "boxes", *DETECTION))) for name, report in reports.items()])


def recognition_tables(report: Report) -> str:
    """Markdown: ranks by method and shelf size, then unknown products."""
    rows = [row for row in report["rows"] if isinstance(row, Mapping)] if isinstance(report["rows"], Sequence) else []
    named = [(str(row["method"]), str(row["shelf_size"])) for row in rows]
    ranks = [(*name, *_cells(row, RANKS)) for name, row in zip(named, rows, strict=True)]
    strangers = [(*name, *_cells(row["unknowns"], STRANGERS)) for name, row in zip(named, rows, strict=True)]
    heads = ("false accept", "false reject", "wrong", "FR at FA .01", "FR at FA .05", "FR at FA .10")
    return "\n\n".join(
        (_markdown(("method", "shelf", "rank-1", "rank-5", "mAP"), ranks), _markdown(("method", "shelf", *heads), strangers))
    )


def main() -> None:
    options = _options()
    write_listings(options.photos, options.out)
    if options.listings_only:
        return
    weights = [part for name in ("detector", "embedder") if (value := getattr(options, name)) for part in (f"--{name}", value)]
    real = ["--data", str(BOXES), "--pictures", str(options.photos), "--draw", str(PICTURE)]
    shelves = [part for size in SHELVES for part in ("--shelf-size", size)]
    listings = ["--enrol", str(options.out / "enrol.csv"), "--queries", str(options.out / "queries.csv"), "--pictures", str(options.photos)]
    boxes = {
        "drawn, held out": _evaluate("detector", "--frames", FRAMES, *weights),
        "photographs": _evaluate("detector", *real, *weights),
    }
    _write("detection", detection_table(boxes))
    _write("recognition", recognition_tables(_evaluate("recognition", *listings, *shelves, *weights)))
    _write("machine", _machine())
    print(f"wrote {DOCUMENT} and {PICTURE}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--out", type=Path, default=Path("runs/grocery"), help="where the listings go")
    parser.add_argument("--detector", default="", help="instead of the shipped one")
    parser.add_argument("--embedder", default="", help="instead of the shipped one")
    parser.add_argument("--listings-only", action="store_true")
    return parser.parse_args()


def _write(name: str, content: str) -> None:
    DOCUMENT.write_text(filled(DOCUMENT.read_text(encoding="utf-8"), name, content), encoding="utf-8")


def _evaluate(*arguments: str) -> Report:
    command = [str(Path(sys.executable).with_name("livecart")), "evaluate", *arguments, "--json"]
    report = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return report if isinstance(report, dict) else {}


def _machine() -> str:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
    day = datetime.now(UTC).date()
    return f"{platform.machine()}, Python {platform.python_version()}, torch {version('torch')}, seed 0, {day}, code of {commit}."


def _cells(numbers: object, names: Sequence[str]) -> list[str]:
    return [_shown(numbers.get(name)) for name in names] if isinstance(numbers, Mapping) else []


def _shown(value: object) -> str:
    return "-" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)


def _markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *rows))


if __name__ == "__main__":
    main()

"""A bundle of the paper's size from released weights (docs/paper-bundle.md); `./lookahead bundle build paper …` calls this.

`uv run python build_bundle.py paper --vision FILE --sam FILE --llm DIR [--fusion FILE] [--labels FILE] --out DIR`
"""

import argparse
import json
import time
from pathlib import Path

from lookahead_training.paper.build import Sources, build_bundle
from lookahead_training.paper.config import SIZES

YARD = Path(__file__).resolve().parent.parent / "bundles/yard/manifest.json"


def read_labels(path: Path) -> list[dict]:
    """`labels` of a manifest, or a list of the same form."""
    said = json.loads(path.read_text())
    return said["labels"] if isinstance(said, dict) else said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("size", choices=["paper"])
    parser.add_argument("--vision", type=Path, required=True)
    parser.add_argument("--sam", type=Path, required=True)
    parser.add_argument("--llm", type=Path, required=True)
    parser.add_argument("--fusion", type=Path)
    parser.add_argument("--labels", type=Path, default=YARD, help="a manifest, or its labels")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    sources = Sources(arguments.vision, arguments.sam, arguments.llm, arguments.fusion)
    started = time.monotonic()
    try:
        labels = read_labels(arguments.labels)
        build_bundle(SIZES[arguments.size], sources, labels, arguments.out)
    except (
        ValueError,
        OSError,
        RuntimeError,
    ) as error:  # the last where names or shapes do not fit
        raise SystemExit(str(error)) from error
    files = [path for path in arguments.out.rglob("*") if path.is_file()]
    for path in sorted(files):
        print(f"{path}  {path.stat().st_size / 2**20:.1f} MiB")
    total = sum(path.stat().st_size for path in files) / 2**30
    print(f"{total:.2f} GiB in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()

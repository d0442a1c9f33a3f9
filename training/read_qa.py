"""What NExT-QA's and ActivityNet-QA's files hold: `uv run python read_qa.py --next-qa val.csv --activitynet-qa val_q.json val_a.json`."""

import argparse
from collections import Counter
from pathlib import Path

from lookahead_training.qa import Example, read_activitynet_qa, read_next_qa


def report(examples: list[Example]) -> str:
    """Counts by source and kind of reasoning, and one example of each."""
    lines = []
    counts = Counter((example.source, example.reasoning) for example in examples)
    shown: set[tuple[str, str]] = set()
    for example in examples:
        key = example.source, example.reasoning
        if key in shown:
            continue
        shown.add(key)
        videos = {e.video for e in examples if (e.source, e.reasoning) == key}
        prompt, answer = example.parts()
        lines.append(
            f"{key[0]:<15} {key[1]:<12} {counts[key]:>6} of {len(videos):>5} videos   "
            f"{''.join(prompt)}{answer}"
        )
    return "\n".join([*sorted(lines), f"{len(examples)} in all"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--next-qa", type=Path, help="the CSV file of a split")
    parser.add_argument(
        "--activitynet-qa",
        type=Path,
        nargs=2,
        metavar=("QUESTIONS", "ANSWERS"),
        help="a split's JSON files",
    )
    arguments = parser.parse_args()
    examples: list[Example] = []
    if arguments.next_qa:
        examples += read_next_qa(arguments.next_qa)
    if arguments.activitynet_qa:
        examples += read_activitynet_qa(*arguments.activitynet_qa)
    if not examples:
        parser.error("--next-qa FILE, --activitynet-qa QUESTIONS ANSWERS, or both are needed.")
    print(report(examples))


if __name__ == "__main__":
    main()

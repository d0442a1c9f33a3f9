"""The figures of a run: kept in a file, and as Markdown."""

import json
from pathlib import Path

UNITS = {
    "offset": ("position error, px", "offset_px"),
    "jitter": ("jitter at each look, px", "jitter_px"),
    "miss": ("missed in a clip", "miss"),
    "flip": ("attribute wrong in a clip", "flip"),
}


def keep(path: Path, **figures: object) -> None:
    """Into the file of figures, beside those of other steps, so that a stopped run keeps what it had."""
    before = json.loads(path.read_text()) if path.exists() else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(before | figures, indent=1) + "\n")


def table(head: list[str], rows: list[list[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def with_interval(it: dict, name: str = "skill", bounds: str = "interval") -> str:
    low, high = it[bounds]
    return f"{it[name]:.3f} [{low:.3f}, {high:.3f}]"


def report(results: dict) -> str:
    expected, outcomes, curve = results["expected"], results["outcomes"], results["curve"]
    headline = (
        f"Skill **{with_interval(expected)}** on {expected['windows']} windows of the test scenes, after "
        f"{curve[-1]['cpuMin']:.0f} CPU-minutes; {results['parameters']:,} parameters. "
        f"S {-expected['s']:.3f}, prior {-expected['sPrior']:.3f}, Bayes {-expected['sBayes']:.3f} nats. "
        f"Against outcomes: {with_interval(outcomes)}."
    )
    parts = [
        headline,
        "## Learning curve (validation scenes)",
        table(
            ["CPU-minutes", "steps", "skill"],
            [[row["cpuMin"], row["step"], f"{row['skill']:.3f}"] for row in curve],
        ),
    ]
    for title, name in (("By template", "byTemplate"), ("By Bayes' top label", "byBayesTop")):
        rows = [
            [key, it["windows"], f"{it['skill']:.3f}", f"{it['loss']:.3f}", f"{it['part']:.4f}"]
            for key, it in results[name].items()
        ]
        head = ["", "windows", "skill", "nats lost to Bayes", "part of the mean loss"]
        parts += [f"## {title}", table(head, rows)]
    rows = [
        [key, f"{it['bayes']:.4f}", f"{it['said']:.4f}", f"{it['part']:.4f}"]
        for key, it in results["byLabel"].items()
    ]
    parts += ["## By label", table(["", "mean chance", "mean said", "part of the mean loss"], rows)]
    if "errors" in results:
        parts += ["## Errors of perception", errors_table(results["errors"])]
    if "memory" in results:
        rows = [
            [clips, with_interval(it), with_interval(it, "gain", "gainInterval")]
            for clips, it in results["memory"].items()
        ]
        head = ["clips known (1 s each)", "skill", "what the longest gains on it"]
        parts += ["## Memory, equally trained", table(head, rows)]
    return "\n\n".join(parts)


def errors_table(errors: dict) -> str:
    rows = []
    for name, grid in errors.items():
        for it in grid:
            put = it["errors"]
            if name == "all":
                what, value = (
                    "all of them",
                    "{offset_px:g} px, {jitter_px:g} px, {miss:.0%}, {flip:.0%}",
                )
                value = value.format(**put)
            else:
                what, field = UNITS[name]
                value = f"{put[field]:g}" if field.endswith("px") else f"{put[field]:.0%}"
            rows.append([what, value, with_interval(it["trained"]), with_interval(it["adapted"])])
    return table(["error", "size", "never met errors", "adapted to errors"], rows)

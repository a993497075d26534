"""Renders the results as docs/speed.md."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks import gpu_table, operations_table, ratios
from benchmarks.comparison import KINDS, Comparison, Kind, Target
from benchmarks.comparisons import COMPARISONS
from benchmarks.results import Result, kind_of, last, newest, steps

PAGE = Path(__file__).parent.parent / "docs/speed.md"

HEAD = """\
# Speed

What `imgcls` does in a second, divided by what its peers do on the same machine in the same run.
Absolute times on small shared machines mean nothing; ratios do.
`benchmarks/README.md` says how this is measured; this page is written by `python -m benchmarks`.

Each cell is the median of the ratios of the rounds (the least to the greatest).
A round runs each contender once, one after the other, each in a new process; its ratio is theirs.
Ratios of images a second are better when larger, those of memory, seconds and growth when smaller.
"""

COLUMNS: dict[Kind, str] = {
    "bfloat16": "processor with bfloat16 units",
    "float32": "processor without, float32",
}
NOT_HERE = "not measured here"


def render(results: Sequence[Result]) -> str:
    """Returns the page with the newest result of each comparison on each kind of machine.

    Args:
        results: all results, the oldest first.
    """
    blocks = [HEAD, "\n".join(_table(results)), "\n".join(_machines(results))]
    blocks += [
        "\n".join(_details(results, kind))
        for kind in KINDS
        if any(kind_of(each) == kind and each["measured"] for each in results)
    ]
    blocks += ["\n".join(lines(results)) for lines in (operations_table.lines, gpu_table.lines)]
    return "\n\n".join(block.strip() for block in blocks) + "\n"


def _table(results: Sequence[Result]) -> Iterator[str]:
    heads = [f"{COLUMNS[kind]}: target | measured" for kind in KINDS]
    yield f"| comparison | {' | '.join(heads)} |"
    yield "|---" * (1 + 2 * len(KINDS)) + "|"
    for each in COMPARISONS:
        cells = []
        for kind in KINDS:
            target = each.targets.get(kind)
            cells += [f"{target}" if target else "none set", cell(each, results, kind)]
        yield f"| `{each.name}`: {each.title} | {' | '.join(cells)} |"


def cell(comparison: Comparison, results: Sequence[Result], kind: Kind) -> str:
    """Returns the table cell of a comparison on a kind of machine."""
    result = newest(results, comparison.name, kind)
    if result is None:
        return NOT_HERE
    measured = result["measured"][comparison.name]
    if "rounds" not in measured:
        return f"{NOT_HERE}: {_one_line(measured['reason'])}"
    found = value(comparison, measured["rounds"])
    words = f"{found.median:.2f} ({found.least:.2f} to {found.most:.2f})"
    return words + judgement(comparison.targets.get(kind), found.median)


def value(comparison: Comparison, rounds: ratios.Rounds) -> ratios.Spread:
    """Returns the value for the target: the ratio to the second contender, or the only figure."""
    if len(comparison.contenders) == 1:
        return ratios.figures(rounds, comparison.figure, 0)
    return ratios.ratios(rounds, comparison.figure, 1)


def judgement(target: Target | None, found: float) -> str:
    """Returns whether a value meets its target, as text to append to it."""
    if target is None:
        return ""
    return ", met" if target.is_met(found) else f", **missed** ({found / target.value:.0%} of it)"


def _machines(results: Sequence[Result]) -> Iterator[str]:
    yield "## Machines and commands"
    yield ""
    used = [each for each in results if each in _shown(results)]
    if not used:
        yield "Nothing has been measured yet."
    for result in used:
        machine = result["machine"]
        units = " and ".join(machine["units"]) or "no bfloat16 units"
        versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
        yield (
            f"- {result['date']}: `{result['command']}` on {machine['cores']} cores of "
            f"{machine['processor']} ({units}), {machine['memory_bytes'] / 2**30:.0f} GiB; "
            f"load before {machine['load']}; {versions}."
        )


def _shown(results: Sequence[Result]) -> list[Result]:
    """Returns the results that are shown on the page."""
    found = [newest(results, each.name, kind) for each in COMPARISONS for kind in KINDS]
    found += [*steps(results), last(results, "gpu")]
    return [each for each in found if each is not None]


def _details(results: Sequence[Result], kind: Kind) -> Iterator[str]:
    yield f"## What was measured: {COLUMNS[kind]}"
    yield ""
    yield "These figures are this machine's at that hour; compare them within a row group alone."
    yield ""
    yield "| comparison | contender | median (least to greatest) | imgcls divided by it |"
    yield "|---|---|---|---|"
    for comparison in COMPARISONS:
        result = newest(results, comparison.name, kind)
        if result is None or "rounds" not in result["measured"][comparison.name]:
            continue
        yield from _rows(comparison, result["measured"][comparison.name]["rounds"])


def _rows(comparison: Comparison, rounds: list[list[dict[str, Any]]]) -> Iterator[str]:
    # A contender that was added later is not in older results.
    for at, contender in enumerate(comparison.contenders[: len(rounds[-1])]):
        of = ratios.figures(rounds, comparison.figure, at)
        figure = f"{amount(of.median)} ({amount(of.least)} to {amount(of.most)})"
        ratio = ""
        if at:
            to = ratios.ratios(rounds, comparison.figure, at)
            ratio = f"{to.median:.2f} ({to.least:.2f} to {to.most:.2f})"
        precision = rounds[-1][at].get("precision")
        name = f"{contender.name}, {precision}" if precision else contender.name
        yield f"| `{comparison.name}` | {name} | {figure} {comparison.unit} | {ratio} |"


def amount(number: float) -> str:
    """Returns a number as text, with three significant digits."""
    if abs(number) >= 100:  # noqa: PLR2004
        return f"{float(f'{number:.3g}'):,.0f}"
    return f"{number:.3g}"


def _one_line(text: str) -> str:
    return " ".join(text.replace("|", "/").split())

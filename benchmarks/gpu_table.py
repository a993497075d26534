"""The GPU section of docs/speed.md."""

from collections.abc import Iterator, Sequence

from benchmarks.results import Result, last

EMPTY = (
    "Not measured: no GPU was at hand. On a machine with one, `pip install '.[gpu]'` and "
    "`python -m benchmarks.gpu` fill this table."
)


def lines(results: Sequence[Result]) -> Iterator[str]:
    """Yields the lines of the section; its tables are empty if no GPU has been measured."""
    yield "## GPU"
    yield ""
    result = last(results, "gpu")
    if result is None:
        yield EMPTY
    else:
        gpu = result["gpu"]
        yield f"On {gpu['device']}, {result['date']}, `{result['command']}`."
        if gpu.get("goal"):
            yield gpu["goal"]
    yield ""
    yield "| config | precision | XLA | training, images/s | steps alone, images/s | share |"
    yield "|---|---|---|---|---|---|"
    for row in result["gpu"]["rows"] if result else ():
        place = f"| {row['config']} | {row['precision']} | {'on' if row['xla'] else 'off'} |"
        if "reason" in row:
            yield f"{place} not measured: {row['reason']} | | |"
            continue
        training, step = row["training"], row["step"]
        yield f"{place} {training:,.0f} | {step:,.0f} | {training / step:.0%} |"
    yield ""
    yield "| config | data set | training, images/s |"
    yield "|---|---|---|"
    for row in result["gpu"]["feeds"] if result else ():
        found = f"not measured: {row['reason']}" if "reason" in row else f"{row['training']:,.0f}"
        yield f"| {row['config']} | {row['place']} | {found} |"

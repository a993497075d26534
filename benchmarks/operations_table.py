"""The part of docs/speed.md that has a step operation by operation."""

from collections.abc import Iterator, Sequence

from benchmarks.results import Result, last


def lines(results: Sequence[Result]) -> Iterator[str]:
    """Yields the section of the page."""
    yield "## A step, operation by operation"
    yield ""
    result = last(results, "operations")
    if result is None:
        yield "Not measured; `python -m benchmarks.operations` fills this table."
        return
    found = result["operations"]
    peaks, rows = found["peaks"], found["rows"]
    processor = f"{result['machine']['cores']} cores of {result['machine']['processor']}"
    yield (
        f"`{found['config']}` in float32, each operation alone, in its shapes; "
        f"`{result['command']}`, {result['date']}, on {processor}: at most "
        f"{peaks['operations_per_second'] / 1e9:,.0f} GFLOP/s (a large matrix product) and "
        f"{peaks['bytes_per_second'] / 1e9:.1f} GB/s (the sum of a large array)."
    )
    yield "The floor is what the greater of the two would allow."
    yield (
        f"A call that computes nothing takes {found['idle_seconds'] * 1e3:.2f} ms, which is in "
        "each figure; training pays it once for many steps, so small operations look slower here."
    )
    yield ""
    yield "| operation | ms | GFLOP/s | GB/s | floor, ms | share of the floor |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        seconds, floor = row["seconds"], row["floor_seconds"]
        yield (
            f"| {row['name']} | {seconds * 1e3:.2f} | {row['operations'] / seconds / 1e9:.1f} "
            f"| {row['bytes'] / seconds / 1e9:.1f} | {floor * 1e3:.2f} | {floor / seconds:.0%} |"
        )
    total = sum(row["seconds"] for row in rows)
    floor = sum(row["floor_seconds"] for row in rows)
    yield f"| all | {total * 1e3:.2f} | | | {floor * 1e3:.2f} | {floor / total:.0%} |"

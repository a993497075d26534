"""The section of docs/speed.md that shows the operations of a step."""

from collections.abc import Iterator, Sequence

from benchmarks.results import Result, steps


def lines(results: Sequence[Result]) -> Iterator[str]:
    """Yields the lines of the section."""
    yield "## A step, operation by operation"
    yield ""
    found = steps(results)
    if not found:
        yield "Not measured; `python -m benchmarks.operations` fills this table."
    else:
        yield (
            "The floor is what the greater of the two peaks would allow; Winograd's gradients of "
            "kernels do with fewer multiplications, and may stay below it."
        )
        yield (
            "Every figure has in it a call that computes nothing, which training pays once for "
            "many steps: small operations look slower here."
        )
    for result in found:
        yield from _step(result)


def _step(result: Result) -> Iterator[str]:
    found = result["operations"]
    peaks, rows = found["peaks"], found["rows"]
    processor = f"{result['machine']['cores']} cores of {result['machine']['processor']}"
    yield ""
    yield (
        f"`{found['config']}` in float32, each operation alone, in its shapes; "
        f"`{result['command']}`, {result['date']}, on {processor}: at most "
        f"{peaks['operations_per_second'] / 1e9:,.0f} GFLOP/s (a large matrix product) and "
        f"{peaks['bytes_per_second'] / 1e9:.1f} GB/s (the sum of a large array)."
    )
    yield f"A call that computes nothing takes {found['idle_seconds'] * 1e3:.2f} ms."
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

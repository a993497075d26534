"""`python -m benchmarks [NAME...]`: runs the comparisons and writes docs/speed.md."""

import argparse
import os
import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks import machine, page, results
from benchmarks.comparisons import COMPARISONS
from benchmarks.running import Settings, UnmeasuredError, rounds

TIMES = 5


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line."""
    parser = _parser()
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.names) - {each.name for each in COMPARISONS})
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; --list shows what there is")
    if options.list:
        for each in COMPARISONS:
            print(f"{each.name:24} {each.title}")
    elif options.render:
        _write_page()
    else:
        _measure(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Compares imgcls with what people would write or pick instead, each contender "
        "in turns and in a process of its own, and writes docs/speed.md.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="of comparisons; all if left out")
    parser.add_argument("--times", type=int, metavar="N", help="rounds (default 5; 1 if quick)")
    parser.add_argument("--photos", type=Path, metavar="FOLDER", help="of class folders")
    parser.add_argument(
        "--torch",
        metavar="PYTHON",
        default=os.environ.get("IMGCLS_BENCH_TORCH"),
        help="one that has PyTorch (or IMGCLS_BENCH_TORCH); benchmarks/README.md says how",
    )
    parser.add_argument("--quick", action="store_true", help="a handful of steps, nothing kept")
    parser.add_argument("--list", action="store_true", help="show the comparisons")
    parser.add_argument("--render", action="store_true", help="write the page from kept results")
    return parser


def _measure(options: argparse.Namespace) -> None:
    here = machine.look()
    print(asdict(here))
    photos = options.photos.resolve() if options.photos else None
    settings = Settings(machine.kind(here.units), photos, options.torch, options.quick)
    times = options.times or (1 if options.quick else TIMES)
    result = results.new(_words(options, times), here)
    for comparison in COMPARISONS:
        if options.names and comparison.name not in options.names:
            continue
        print(f"{comparison.name}: {comparison.title}", flush=True)
        try:
            done = rounds(comparison, settings, times, _tell)
            result["measured"][comparison.name] = {"rounds": done}
        except UnmeasuredError as error:
            result["measured"][comparison.name] = {"reason": str(error)}
        found = page.cell(comparison, [result], settings.kind)
        print(f"  {found}{'; too short to mean anything' if options.quick else ''}", flush=True)
        if not options.quick:
            results.save(result)
    if not options.quick:
        _write_page()


def _tell(line: str) -> None:
    print(line, flush=True)


def _write_page() -> None:
    page.PAGE.write_text(page.render(results.load()), encoding="utf-8")
    print(f"wrote {page.PAGE.parent.name}/{page.PAGE.name}")


def _words(options: argparse.Namespace, times: int) -> str:
    """Returns the command as the page shows it, without paths on this machine."""
    words = ["python", "-m", "benchmarks", *options.names, "--times", str(times)]
    words += ["--photos", "FOLDER"] if options.photos else []
    words += ["--torch", "PYTHON"] if options.torch else []
    return shlex.join(words)


if __name__ == "__main__":
    main()

"""The one line of JSON that a contender prints, and what every line has."""

import json
import resource


def say(**figures: float | str | None) -> None:
    """Prints the figures of this process, its peak resident memory among them."""
    figures.setdefault("peak_bytes", peak_bytes())
    print(json.dumps(figures), flush=True)


def peak_bytes(who: int = resource.RUSAGE_SELF) -> int:
    """Returns the largest resident memory so far, of this process or of its largest child."""
    return resource.getrusage(who).ru_maxrss * 1024

"""The memory limit for training on CIFAR-10: the memory after `import keras` plus an allowance."""

import argparse

import keras  # noqa: F401  # its memory is measured

from benchmarks.lines import peak_bytes, say

DATA_SET = 60_000 * 32 * 32 * 3  # 184 MB
ALLOWANCE = 3 * DATA_SET + 600_000_000


def main() -> None:
    """Prints the limit in bytes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.parse_args()
    imported = peak_bytes()
    say(peak_bytes=imported + ALLOWANCE, bytes_after_import=imported)


if __name__ == "__main__":
    main()

"""What data.json of a run says about its data, and the fingerprint that notices a change."""

import hashlib
import json
import os
from typing import Any

import numpy as np

from imgcls.data.reading import Reader, Split
from imgcls.data.splits import Divided
from imgcls.images.pictures import SPLITS, Found, shown


def record(
    divided: Divided, splits: dict[str, Split], reader: Reader, size: tuple[int, int]
) -> dict[str, Any]:
    """Returns what was found, made and read, as JSON has it."""
    found = divided.found
    counts = {
        split: np.bincount(pictures.labels, minlength=len(found.classes)).tolist()
        for split, pictures in sorted(found.splits.items(), key=lambda each: SPLITS.index(each[0]))
    }
    return {
        "source": found.source,
        "classes": list(found.classes),
        "images": {split: sum(count) for split, count in counts.items()},
        "counts": {
            split: dict(zip(found.classes, count, strict=True)) for split, count in counts.items()
        },
        "made": divided.made,
        "size": list(size),
        "stored": list(reader.size),
        "channels": reader.channels,
        "resize": reader.resize,
        "notes": [*found.notes, *(f"left out: {each}" for each in reader.bad)],
        "skipped": [{"file": shown(each.path), "reason": each.reason} for each in reader.bad],
        **(_files(found) or _drawn(divided)),
        "fingerprint": {
            "classes": hashlib.sha256(json.dumps(found.classes).encode()).hexdigest(),
            **{split: fingerprint(images) for split, images in splits.items()},
        },
    }


def _files(found: Found) -> dict[str, Any]:
    files = {
        split: list(map(shown, pictures.files))
        for split, pictures in found.splits.items()
        if pictures.files
    }
    if not files:
        return {}
    folder = os.path.commonpath([file for names in files.values() for file in names])
    return {
        "folder": folder,
        "files": {
            split: [os.path.relpath(file, folder) for file in files[split]] for split in files
        },
    }


def _drawn(divided: Divided) -> dict[str, Any]:
    """Which images of an array each made split has; files are listed by their names."""
    return {
        "drawn": {
            split: {"from": divided.origins[split][0], "at": divided.origins[split][1].tolist()}
            for split in divided.made
        }
    }


def fingerprint(split: Split) -> str:
    """Returns the SHA-256 of a split's labels and pixels; the names of files do not count."""
    digest = hashlib.sha256(f"{split.pixels.shape} ".encode())
    digest.update(np.ascontiguousarray(split.labels, "<i4").tobytes())
    digest.update(np.ascontiguousarray(split.pixels).data)
    return digest.hexdigest()

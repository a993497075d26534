"""What data.json of a run says about its data, and what has changed since it was written."""

import hashlib
import itertools
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from imgcls.data import appearance
from imgcls.data.reading import Reader, Split
from imgcls.data.splits import Divided
from imgcls.images.buffers import blocks
from imgcls.images.pictures import SPLITS, Found, listed, shown

NamesBySplit = Mapping[str, Sequence[str]]
DigestsBySplit = Mapping[str, Sequence[str | None]]


def manifest(
    divided: Divided, splits: dict[str, Split], reader: Reader, size: tuple[int, int]
) -> dict[str, Any]:
    """Returns what was found, made and read, as JSON has it."""
    found = divided.found
    counts = {
        split: np.bincount(pictures.labels, minlength=len(found.classes)).tolist()
        for split, pictures in sorted(found.splits.items(), key=lambda each: SPLITS.index(each[0]))
    }
    marks = {split: digests(images) for split, images in splits.items()}
    files = _files(found, splits, marks)
    names = files["files"] if files else {split: each.names for split, each in splits.items()}
    record = files or {"digests": marks, **_drawn(divided)}
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
        "notes": [
            *found.notes,
            *(f"left out: {each}" for each in reader.bad),
            *(appearance.notes(splits["train"], found.classes) if "train" in splits else ()),
            *copies(names, record["digests"], found.classes),
        ],
        "skipped": [{"file": shown(each.path), "reason": each.reason} for each in reader.bad],
        **record,
        "fingerprint": {
            "classes": hashlib.sha256(json.dumps(found.classes).encode()).hexdigest(),
            **{split: fingerprint(images) for split, images in splits.items()},
        },
    }


def _files(
    found: Found, splits: dict[str, Split], marks: Mapping[str, list[str]]
) -> dict[str, Any]:
    """Every file, read or not, and the digest of each one that was read; null is a bad one."""
    files = {
        split: list(map(shown, pictures.files))
        for split, pictures in found.splits.items()
        if pictures.files
    }
    if not files:
        return {}
    folder = os.path.commonpath([file for names in files.values() for file in names])
    read = {
        split: dict(zip(each.names, marks[split], strict=True)) for split, each in splits.items()
    }
    return {
        "folder": folder,
        "files": {
            split: [os.path.relpath(file, folder) for file in files[split]] for split in files
        },
        "digests": {split: [read[split].get(file) for file in files[split]] for split in read},
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
    for pixels in blocks(split.pixels):
        digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


def digests(split: Split) -> list[str]:
    """Returns a short name of each image's content: a hash of its pixels, `-` and its label."""
    each = itertools.chain.from_iterable(blocks(split.pixels))
    return [
        f"{hashlib.blake2b(np.ascontiguousarray(pixels).data, digest_size=8).hexdigest()}-{label}"
        for pixels, label in zip(each, split.labels.tolist(), strict=True)
    ]


def copies(names: NamesBySplit, digests: DigestsBySplit, classes: Sequence[str]) -> Iterator[str]:
    """Yields a note for each two splits with the same images, and for images with two labels.

    Args:
        names: of the images of each split.
        digests: of the same images, as `digests` returns them, or None for one without pixels.
        classes: the class names.
    """
    splits = [split for split in SPLITS if split in digests]
    for one, other in itertools.combinations(splits, 2):
        first: dict[str, str] = {}
        for name, digest in zip(names[one], digests[one], strict=True):
            first.setdefault(_pixels(digest), name)
        both = [
            f"{name} = {first[pixels]}"
            for name, digest in zip(names[other], digests[other], strict=True)
            if (pixels := _pixels(digest)) and pixels in first
        ]
        if both:
            what = f"1 {other} image also appears" if len(both) == 1 else ""
            what = what or f"{len(both):,} {other} images also appear"
            yield f"{what} in {one} (for example {both[0]})"
    yield from _contradictions(
        [
            (name, digest)
            for split in splits
            for name, digest in zip(names[split], digests[split], strict=True)
            if digest
        ],
        classes,
    )


def trained_on(manifest: Mapping[str, Any], split: Split) -> int:
    """Returns how many images of a split have the pixels of a training image of a run.

    Args:
        manifest: the run's data.json, which may be damaged.
        split: images as the run's network takes them.
    """
    recorded = manifest.get("digests")
    train = recorded.get("train") if isinstance(recorded, dict) else None
    train = train if isinstance(train, list) else []
    known = {_pixels(each) for each in train if isinstance(each, str)}
    return sum(_pixels(each) in known for each in digests(split))


def _contradictions(images: list[tuple[str, str]], classes: Sequence[str]) -> Iterator[str]:
    """Yields a note if identical images have different labels: one of them is wrong."""
    first: dict[str, tuple[str, str]] = {}
    pairs = []
    for name, digest in images:
        pixels, _, label = digest.partition("-")
        known, its = first.setdefault(pixels, (name, label))
        if its != label:
            pairs.append(f"{known} ({classes[int(its)]}) = {name} ({classes[int(label)]})")
    if pairs:
        what = "1 image has" if len(pairs) == 1 else f"{len(pairs):,} images have"
        yield f"{what} the same pixels as one of another class (for example {pairs[0]})"


def _pixels(digest: str | None) -> str:
    return (digest or "").partition("-")[0]


def changes(before: dict[str, Any], now: dict[str, Any]) -> str | None:
    """Returns as a clause how data differs from what a record says; None if it does not.

    Only content counts, in its order; not where it lies, nor sizes and dates of files. Nothing is
    said of splits that only one of the two records has read.

    Args:
        before: a run's data.json, which may be of an older release or damaged.
        now: the record of the data as it is.
    """
    prints = before.get("fingerprint")
    if not isinstance(prints, dict):
        return "the record of it is damaged"
    other = [part for part, own in now["fingerprint"].items() if prints.get(part, own) != own]
    if not other:
        return None
    found = []
    if "classes" in other:
        found.append(f"classes {_classes(before)} then, {_classes(now)} now")
    kinds = _kinds(_contents(before), _contents(now))
    if kinds:
        first = min(file for files in kinds.values() for file in files)
        counts = ", ".join(f"{len(files):,} {kind}" for kind, files in kinds.items())
        found.append(f"{counts} (first: {first})")
    if not found:
        found = [
            f"{part} has other images or labels, {_counts(before, part)} then, "
            f"{_counts(now, part)} now"
            for part in other
        ]
    return "; ".join(found)


def _kinds(then: dict[str, str], now: dict[str, str]) -> dict[str, set[str]]:
    """Which files changed how; a content of which nothing is known is empty."""
    added, removed = now.keys() - then.keys(), then.keys() - now.keys()
    edited = {
        file
        for file in then.keys() & now.keys()
        if then[file] and now[file] and then[file] != now[file]
    }
    new = {now[file]: file for file in sorted(added, reverse=True) if now[file]}
    renamed = {file: new.pop(then[file]) for file in sorted(removed) if then[file] in new}
    kinds = {
        "added": added - set(renamed.values()),
        "removed": removed - renamed.keys(),
        "edited": edited,
        "renamed": set(renamed),
    }
    return {kind: files for kind, files in kinds.items() if files}


def _contents(manifest: dict[str, Any]) -> dict[str, str]:
    """The content of each file in words that hold in every record; empty where there are none."""
    contents = {}
    try:
        for split, files in manifest.get("files", {}).items():
            digests = manifest.get("digests", {}).get(split)
            for at, file in enumerate(files):
                pixels, _, label = (digests[at] or "bad-0").partition("-") if digests else ("",) * 3
                contents[file] = pixels and f"{pixels} {manifest['classes'][int(label)]}"
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return {}  # a damaged record; that something changed is known already
    return contents


def _classes(manifest: dict[str, Any]) -> str:
    return listed(map(str, manifest.get("classes") or ["unknown"]))


def _counts(manifest: dict[str, Any], split: str) -> str:
    images = manifest.get("images")
    return f"{images.get(split)} images" if isinstance(images, dict) else "unknown"

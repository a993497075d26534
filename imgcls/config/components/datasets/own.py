"""Custom data sets: a folder, a CSV file or arrays."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from imgcls.config.components.datasets.dataset import Channels, Dataset, Names, PartOrFolder
from imgcls.config.components.types import File, Pair

if TYPE_CHECKING:
    from imgcls.images.pictures import Found


class ImageFiles(Dataset, abstract=True):
    """Image files: JPEG, PNG, BMP, GIF, WebP, TIFF or AVIF, of any size."""

    size: Pair | None = None
    """Height and width of the network's input in pixels: a number, or a list of two; required."""
    channels: Channels = 3
    """Number of channels: 1 (gray) or 3 (RGB)."""
    on_bad_image: Literal["refuse", "skip"] = "refuse"
    """What to do about damaged files and files that are not images: `refuse` stops with a list of them, `skip` leaves them out and records them in the run."""  # noqa: E501

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yields the violated rules between fields."""
        yield from super().rules()
        if self.size is None:
            yield (
                "size",
                "missing; expected the height and width of the input, for example size: 150",
            )


class Folder(ImageFiles):
    """A folder with one subfolder of images per class, or with train/, validation/ (val/, valid/) and test/ that each have one; names such as Training or seg_test are understood."""  # noqa: E501

    folder: File
    """Path of the folder."""
    validation: PartOrFolder = "auto"  # type: ignore[assignment]  # a folder is possible here only
    """Validation images, which select the best epoch: a fraction of the training images (stratified and seeded), a folder with one subfolder per class, `none`, or `auto`: validation/ if it exists, else 0.1."""  # noqa: E501
    test: PartOrFolder = "auto"  # type: ignore[assignment]
    """Test images, used by `imgcls evaluate` only: a fraction of the training images, a folder with one subfolder per class, `none`, or `auto`: test/ if it exists, else 0.1."""  # noqa: E501
    classes: Names | None = None
    """The subfolders to use as classes, in this order; others are left out. null means all that contain images, in alphabetical order."""  # noqa: E501

    def find(self) -> "Found":
        """Returns the labeled files."""
        from imgcls.images import folders

        given = {"validation": self.validation, "test": self.test}
        others = {
            split: part if isinstance(part, Path) else None
            for split, part in given.items()
            if isinstance(part, Path) or part == "none"
        }
        selected = self.classes is not None
        return folders.find(self.folder, self.classes, others, selected=selected)


class Csv(ImageFiles):
    """A CSV file in UTF-8 with a header and one image per line."""

    csv: File
    """Path of the CSV file."""
    path: str = "path"
    """Name of the column with the paths of the images."""
    label: str = "label"
    """Name of the column with the class labels."""
    split: str = "split"
    """Name of the column with the split: train, validation (val, valid) or test; without it, all images are training images."""  # noqa: E501
    root: File | None = None
    """Folder that paths in the CSV file are relative to and must be inside; null means the folder of the CSV file. Paths relative to the CSV file that lead into this folder are accepted too."""  # noqa: E501
    classes: Names | None = None
    """The labels in the desired order, or names for integer labels that start at 0; null means the labels in sorted order."""  # noqa: E501

    def find(self) -> "Found":
        """Returns the labeled files."""
        from imgcls.images import table

        columns = table.Columns(self.path, self.label, self.split, self.split != "split")
        return table.find(self.csv, columns, self.classes, self.root)


class Npz(Dataset):
    """An npz file with x_train, y_train and optionally x_validation, y_validation, x_test, y_test.

    Images are [n, height, width] or [n, height, width, 1 or 3], either integers from 0 to 255 or
    floats from 0 to 1; labels are integers that start at 0.
    """

    npz: File
    """Path of the npz file."""
    classes: Names | None = None
    """Names of the classes in the order of the labels; null means the labels themselves."""

    def find(self) -> "Found":
        """Returns the labeled pixels."""
        from imgcls.images import arrays

        return arrays.load(self.npz, self.classes)

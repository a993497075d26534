"""Data sets of one's own: a folder, a CSV file or arrays."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from imgcls.config.components.datasets.dataset import Channels, Dataset, Names, PartOrFolder
from imgcls.config.components.types import File, Pair

if TYPE_CHECKING:
    from imgcls.images.pictures import Found


class ImageFiles(Dataset, abstract=True):
    """Images in files: JPEG, PNG, BMP, GIF, WebP or TIFF, of any size."""

    size: Pair | None = None
    """Height and width in pixels that the network sees: a list of two, or a number for both; it must be given, since files have any size."""  # noqa: E501
    channels: Channels = 3
    """1 for grey, 3 for colour."""
    on_bad_image: Literal["refuse", "skip"] = "refuse"
    """What happens when a file is damaged or no image: `refuse` ends with the list of them, `skip` leaves them out and notes them in the run."""  # noqa: E501

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yields the broken rules between fields."""
        yield from super().rules()
        if self.size is None:
            yield "size", "missing; the height and width that the network sees, such as size: 150"


class Folder(ImageFiles):
    """A folder with a folder of images for each class, or with train/, validation/ (val/, valid/) and test/ that have class folders in them."""  # noqa: E501

    folder: File
    """The folder."""
    validation: PartOrFolder = "auto"  # type: ignore[assignment]  # a folder is possible here only
    """Which images choose the best epoch: a share of the training images (stratified and seeded), a folder of class folders, `none`, or `auto`: validation/, or else 0.1."""  # noqa: E501
    test: PartOrFolder = "auto"  # type: ignore[assignment]
    """Which images only `imgcls evaluate` sees: a share of the training images, a folder of class folders, `none`, or `auto`: test/, or else 0.1."""  # noqa: E501
    classes: Names | None = None
    """The class folders in the order wanted; left out, all of them in alphabetical order."""

    def find(self) -> "Found":
        """Returns the labelled files."""
        from imgcls.images import folders

        given = {"validation": self.validation, "test": self.test}
        others = {
            split: part if isinstance(part, Path) else None
            for split, part in given.items()
            if isinstance(part, Path) or part == "none"
        }
        return folders.find(self.folder, self.classes, others)


class Csv(ImageFiles):
    """A CSV file in UTF-8 whose first line names its columns, with an image in every other line."""

    csv: File
    """The CSV file."""
    path: str = "path"
    """The column with the images' paths."""
    label: str = "label"
    """The column with the images' classes."""
    split: str = "split"
    """The column that says train, validation (val, valid) or test; a file without it has training images only."""  # noqa: E501
    root: File | None = None
    """The folder that paths in the CSV file are relative to and may not leave; left out, the file's own."""  # noqa: E501
    classes: Names | None = None
    """The labels in the order wanted, or names for labels that are numbers from 0 on; left out, the labels in order."""  # noqa: E501

    def find(self) -> "Found":
        """Returns the labelled files."""
        from imgcls.images import table

        columns = table.Columns(self.path, self.label, self.split, self.split != "split")
        return table.find(self.csv, columns, self.classes, self.root)


class Npz(Dataset):
    """An npz file with x_train and y_train, and perhaps x_validation, y_validation, x_test, y_test.

    Images are [n, height, width] or [n, height, width, 1 or 3], whole numbers 0 to 255 or shares
    0 to 1; labels are whole numbers from 0 on.
    """

    npz: File
    """The npz file."""
    classes: Names | None = None
    """The names of the classes, in the order of their numbers; left out, the numbers."""

    def find(self) -> "Found":
        """Returns the labelled pixels."""
        from imgcls.images import arrays

        return arrays.load(self.npz, self.classes)

"""Published data sets, known by name."""

from typing import TYPE_CHECKING, ClassVar

from imgcls.config.datasets.dataset import Dataset

if TYPE_CHECKING:
    from imgcls.images.pictures import Found


class Published(Dataset, abstract=True):
    """A published data set, which is looked for in `$IMGCLS_DATA` and where Keras keeps it."""

    _classes: ClassVar[tuple[str, ...]]
    """The names of its classes."""
    _places: ClassVar[dict[str, str]] = {}
    """Where Keras keeps it besides `<name>.npz`, and which function of `published` reads that."""

    @classmethod
    def kind(cls) -> str:
        """Returns the key that says which data it is."""
        return "name"

    def find(self) -> "Found":
        """Returns the labelled pixels."""
        from imgcls.images import arrays, published

        readers = {place: getattr(published, reader) for place, reader in self._places.items()}
        found, source = published.read(self.name(), readers)
        return arrays.find(found, source, self._classes)


_DIGITS = tuple("0123456789")


class Digits(Published):
    """1,797 handwritten digits of 8x8 grey pixels; part of scikit-learn; has no test split."""

    _classes = _DIGITS

    def find(self) -> "Found":
        """Returns the labelled pixels."""
        import numpy as np
        from sklearn.datasets import load_digits

        from imgcls.images import arrays

        bunch = load_digits()
        pixels = np.rint(bunch.images * (255 / 16)).astype(np.uint8)
        found = {"x_train": pixels, "y_train": bunch.target}
        return arrays.find(found, "digits of scikit-learn", self._classes)


class Mnist(Published):
    """70,000 handwritten digits of 28x28 grey pixels, 10,000 of them for the test."""

    _classes = _DIGITS


class FashionMnist(Published):
    """70,000 grey pictures of clothes, 28x28 pixels, 10 classes, 10,000 pictures for the test."""

    _classes = (
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    )
    _places: ClassVar = {"fashion-mnist": "idx"}


class Cifar10(Published):
    """60,000 colour photographs of 32x32 pixels, 10 classes, 10,000 photographs for the test."""

    _classes = (
        *("airplane", "automobile", "bird", "cat", "deer"),
        *("dog", "frog", "horse", "ship", "truck"),
    )
    _places: ClassVar = {
        "cifar-10-batches-py-target/cifar-10-batches-py": "cifar10",
        "cifar-10-batches-py": "cifar10",
    }


class Cifar100(Published):
    """60,000 colour photographs of 32x32 pixels, 100 classes, 10,000 photographs for the test."""

    # https://www.cs.toronto.edu/~kriz/cifar.html, the fine labels.
    _classes = tuple(
        """
        apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge
        bus butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud
        cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish forest fox
        girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster
        man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter
        palm_tree pear pickup_truck pine_tree plain plate poppy porcupine possum rabbit
        raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake
        spider squirrel streetcar sunflower sweet_pepper table tank telephone television
        tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm
        """.split()  # noqa: SIM905 - a hundred quoted names are harder to read
    )
    _places: ClassVar = {
        "cifar-100-python-target/cifar-100-python": "cifar100",
        "cifar-100-python": "cifar100",
    }

"""Published data sets, known by name."""

from typing import TYPE_CHECKING, ClassVar

from imgcls.config.components.datasets.dataset import Dataset
from imgcls.downloads.remote import Publication, Remote
from imgcls.events import EventSink

if TYPE_CHECKING:
    from imgcls.images.pictures import Found


class Published(Dataset, abstract=True):
    """A data set known by name."""

    _classes: ClassVar[tuple[str, ...]]
    """The names of its classes."""

    @classmethod
    def kind(cls) -> str:
        """Returns the key that selects this kind of data set."""
        return "name"


class Downloaded(Published, abstract=True):
    """A data set from `$IMGCLS_DATA`, Keras' cache, the user's cache, or the Internet."""

    _published: ClassVar[Publication]
    """The files, their format and their addresses."""

    def fetch(self, report: EventSink) -> None:
        """Downloads the data to the user's cache if it is not on this machine."""
        from imgcls.images import published

        published.fetch(self.identifier(), self._published, report)

    def find(self) -> "Found":
        """Returns the labeled pixels."""
        from imgcls.images import arrays, published

        found, source = published.read(self.identifier(), self._published)
        return arrays.find(found, source, self._classes)


_DIGITS = tuple("0123456789")

# The addresses and SHA-256 digests are those of Keras' loaders.
_TENSORFLOW = "https://storage.googleapis.com/tensorflow/tf-keras-datasets"
_TORONTO = "https://www.cs.toronto.edu/~kriz"


class Digits(Published):
    """1,797 handwritten digits in 8x8 gray pixels, included in scikit-learn; no test split."""

    _classes = _DIGITS

    def find(self) -> "Found":
        """Returns the labeled pixels."""
        import numpy as np
        from sklearn.datasets import load_digits

        from imgcls.images import arrays

        bunch = load_digits()
        pixels = np.rint(bunch.images * (255 / 16)).astype(np.uint8)
        found = {"x_train": pixels, "y_train": bunch.target}
        return arrays.find(found, "digits of scikit-learn", self._classes)


class Mnist(Downloaded):
    """MNIST: 70,000 handwritten digits in 28x28 gray pixels, 10,000 of them for testing."""

    _classes = _DIGITS
    _published = Publication(
        "npz",
        (
            Remote(
                f"{_TENSORFLOW}/mnist.npz",
                11_490_434,
                "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
            ),
        ),
    )


class FashionMnist(Downloaded):
    """Fashion-MNIST: 70,000 clothing articles in 28x28 gray pixels, 10,000 of them for testing."""

    _classes = (
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    )
    _published = Publication(
        "idx",
        (
            Remote(
                f"{_TENSORFLOW}/train-labels-idx1-ubyte.gz",
                29_515,
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            ),
            Remote(
                f"{_TENSORFLOW}/train-images-idx3-ubyte.gz",
                26_421_880,
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            ),
            Remote(
                f"{_TENSORFLOW}/t10k-labels-idx1-ubyte.gz",
                5_148,
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            ),
            Remote(
                f"{_TENSORFLOW}/t10k-images-idx3-ubyte.gz",
                4_422_102,
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            ),
        ),
        kept=("fashion-mnist",),
    )


class Cifar10(Downloaded):
    """CIFAR-10: 60,000 32x32 color photographs in 10 classes, 10,000 of them for testing."""

    _classes = (
        *("airplane", "automobile", "bird", "cat", "deer"),
        *("dog", "frog", "horse", "ship", "truck"),
    )
    _published = Publication(
        "cifar10",
        (
            Remote(
                f"{_TORONTO}/cifar-10-python.tar.gz",
                170_498_071,
                "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
            ),
        ),
        folder="cifar-10-batches-py",
        kept=("cifar-10-batches-py-target/cifar-10-batches-py", "cifar-10-batches-py"),
    )


class Cifar100(Downloaded):
    """CIFAR-100: 60,000 32x32 color photographs in 100 classes, 10,000 of them for testing."""

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
    _published = Publication(
        "cifar100",
        (
            Remote(
                f"{_TORONTO}/cifar-100-python.tar.gz",
                169_001_437,
                "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
            ),
        ),
        folder="cifar-100-python",
        kept=("cifar-100-python-target/cifar-100-python", "cifar-100-python"),
    )

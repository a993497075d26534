"""The data sets that a config may name; importing it makes all of them known."""

from imgcls.config.components.datasets import own, published
from imgcls.config.components.datasets.dataset import Dataset

__all__ = ["Dataset", "own", "published"]

"""The data sets that a config may name; importing it makes all of them known."""

from imgcls.config.datasets import own, published
from imgcls.config.datasets.dataset import Dataset

__all__ = ["Dataset", "own", "published"]

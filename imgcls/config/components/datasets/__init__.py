"""The data sets that a config may name; importing this registers all of them."""

from imgcls.config.components.datasets import own, published
from imgcls.config.components.datasets.dataset import Dataset

__all__ = ["Dataset", "own", "published"]

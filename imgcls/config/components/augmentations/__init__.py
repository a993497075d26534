"""Augmentations of the training images; importing this registers all of them."""

from imgcls.config.components.augmentations import colors as colors
from imgcls.config.components.augmentations import erasing as erasing
from imgcls.config.components.augmentations import geometric as geometric
from imgcls.config.components.augmentations.augmentation import Augmentation as Augmentation

"""What a config may do to the training images: importing this makes every augmentation known."""

from imgcls.config.components.augmentations import colors as colors
from imgcls.config.components.augmentations import erasing as erasing
from imgcls.config.components.augmentations import geometric as geometric
from imgcls.config.components.augmentations.augmentation import Augmentation as Augmentation

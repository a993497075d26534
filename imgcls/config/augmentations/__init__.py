"""What a config may do to the training images: importing this makes every augmentation known."""

from imgcls.config.augmentations import colours as colours
from imgcls.config.augmentations import erasing as erasing
from imgcls.config.augmentations import geometric as geometric
from imgcls.config.augmentations.augmentation import Augmentation as Augmentation

"""The components that a config may name: layers, augmentations, data sets, optimizers, ..."""

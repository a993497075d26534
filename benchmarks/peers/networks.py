"""The networks of the comparisons, written in Keras."""

import keras
from keras import layers


def small(height: int, width: int, classes: int) -> keras.Sequential:
    """Returns the network of configs/cifar10.yaml, from images 0..1 to probabilities."""
    return keras.Sequential(
        [
            keras.Input((height, width, 3)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(classes, activation="softmax"),
        ]
    )


def photographs(height: int, width: int, classes: int) -> keras.Sequential:
    """Returns the network of configs/photos.yaml, from images 0..1 to probabilities."""
    return keras.Sequential(
        [
            keras.Input((height, width, 3)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(128, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(1024, activation="relu"),
            layers.Dense(classes, activation="softmax"),
        ]
    )


def eight() -> keras.Sequential:
    """Returns the network of benchmarks/configs/eight.yaml, from images 0..1 to probabilities."""
    stack = [keras.Input((32, 32, 3)), layers.Conv2D(24, 2, activation="relu")]
    for width in (64, 256, 256):
        stack += [
            layers.Conv2D(width, 3, padding="same", use_bias=False),
            layers.MaxPooling2D(2),
            layers.BatchNormalization(),
            layers.Activation("relu"),
            layers.Conv2D(width, 3, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.Activation("relu"),
        ]
    # Probabilities in float32 in any precision, as Keras' guide on mixed precision recommends.
    head = layers.Dense(10, activation="softmax", dtype="float32")
    return keras.Sequential([*stack, layers.MaxPooling2D(3), layers.Flatten(), head])

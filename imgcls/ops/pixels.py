"""Stored pixels -> the images that a network sees; the one way, in training and everywhere else."""

import tensorflow as tf


def images_of(pixels: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """Returns the images of stored pixels.

    Args:
        pixels: uint8 [batch, stored height, stored width, channel].
        size: height and width that the network sees, in pixels.

    Returns:
        float32 [batch, height, width, channel] in 0..1, enlarged bilinearly where `size` is larger.
    """
    images = tf.cast(pixels, tf.float32) * (1 / 255)
    if tuple(pixels.shape[1:3]) != tuple(size):
        images = tf.image.resize(images, size)
    return images

"""Mirrorings and shifts by whole pixels, without a warp's interpolation.

As `warp` but four times faster (32x32x3, batch 64, one core: 15 against 60 microseconds an image),
since it copies pixels. Flips and crops are all that many recipes want.
"""

import tensorflow as tf


def exact_warp(
    images: tf.Tensor, matrices: tf.Tensor, fill_mode: str = "nearest", fill_value: float = 0.0
) -> tf.Tensor:
    """Returns each image moved by its matrix: exactly what `warp` returns.

    Only `wrap` differs, further than one image's size outside: here it is right.

    Args:
        images: float32 [batch, height, width, channel] of known height and width.
        matrices: float32 [batch, 3, 3] as in `warp`; they mirror and shift by whole pixels.
        fill_mode: as in `warp`.
        fill_value: used by `constant` only.
    """
    _, height, width, channels = images.shape
    rows = _places(matrices[:, 1, 1], matrices[:, 1, 2], height)
    columns = _places(matrices[:, 0, 0], matrices[:, 0, 2], width)
    row, column = _inside(rows, height, fill_mode), _inside(columns, width, fill_mode)
    first = tf.range(tf.shape(images, tf.int64)[0]) * (height * width)  # [batch]
    pixels = first[:, tf.newaxis, tf.newaxis] + row[:, :, tf.newaxis] * width
    pixels += column[:, tf.newaxis]  # [batch, height, width]
    moved = tf.gather(tf.reshape(images, [-1, channels]), pixels)
    if fill_mode == "constant":
        kept = (rows == row)[:, :, tf.newaxis] & (columns == column)[:, tf.newaxis]
        mask = tf.cast(kept, images.dtype)[..., tf.newaxis]
        moved = moved * mask + fill_value * (1 - mask)  # a broadcast `where` is 3 times slower
    return moved


def _places(scale: tf.Tensor, shift: tf.Tensor, size: int) -> tf.Tensor:
    """Returns from where each row (or column) is read, int64 [batch, size]; also from outside."""
    places = scale[:, tf.newaxis] * tf.range(size, dtype=tf.float32) + shift[:, tf.newaxis]
    return tf.cast(tf.round(places), tf.int64)


def _inside(places: tf.Tensor, size: int, fill_mode: str) -> tf.Tensor:
    """Returns what is read instead of rows or columns outside the image."""
    if fill_mode == "wrap":
        return tf.math.floormod(places, size)
    if fill_mode == "reflect":
        places = tf.math.floormod(places, 2 * size)
        return tf.minimum(places, 2 * size - 1 - places)
    return tf.clip_by_value(places, 0, size - 1)

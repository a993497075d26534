"""Warps of whole batches by one matrix an image, and the matrices of plain movements.

A matrix is float32 [3, 3] with the last row (0, 0, 1). It takes the OUTPUT pixel (x, y, 1) to the
place in the INPUT from which that pixel is read; x goes to the right, y downwards, and the centre
of the first pixel is (0, 0). So "first A, then B" is `A @ B`.
"""

import tensorflow as tf


def warp(
    images: tf.Tensor, matrices: tf.Tensor, fill_mode: str = "nearest", fill_value: float = 0.0
) -> tf.Tensor:
    """Returns each image warped by its matrix, with bilinear interpolation.

    Pixels that are read at whole coordinates are exact: an identity, a mirroring or a shift by
    whole pixels changes no value.

    Args:
        images: float32 [batch, height, width, channel] of known height and width.
        matrices: float32 [batch, 3, 3], see above.
        fill_mode: what lies outside: `nearest` (the edge pixel), `reflect` (mirrored, the
            edge pixel repeated), `wrap` (the image repeats; right up to one image's size away,
            beyond it TensorFlow's kernel reads wrong pixels), `constant` (`fill_value`).
        fill_value: used by `constant` only.

    Returns:
        float32 of the shape of `images`, within the range of `images` and `fill_value`.
    """
    height, width = images.shape[1:3]
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.reshape(matrices, [-1, 9])[:, :8],
        output_shape=[height, width],
        fill_value=fill_value,
        interpolation="BILINEAR",
        fill_mode=fill_mode.upper(),
    )


def translation(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Returns the matrices that move images x pixels to the right and y down; x, y are [batch]."""
    one, zero = tf.ones_like(x), tf.zeros_like(x)
    return _affine((one, zero, -x), (zero, one, -y))


def rotation(radians: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """Returns the matrices that turn images counterclockwise about their centre."""
    cosine, sine = tf.cos(radians), tf.sin(radians)
    return _about_centre((cosine, -sine), (sine, cosine), height, width)


def shear(x: tf.Tensor, y: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """Returns the matrices that slant images about their centre; x, y are tangents, [batch].

    A row goes to the right by x times its distance above the centre, a column upwards by y times
    its distance to the right of it.
    """
    one = tf.ones_like(x)
    return _about_centre((one, x), (y, one), height, width)


def zoom(x: tf.Tensor, y: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """Returns the matrices that magnify images x-fold and y-fold about their centre.

    A factor of -1 mirrors.
    """
    zero = tf.zeros_like(x)
    return _about_centre((1 / x, zero), (zero, 1 / y), height, width)


_Row = tuple[tf.Tensor, ...]


def _about_centre(first: _Row, second: _Row, height: int, width: int) -> tf.Tensor:
    """Returns the matrices of 2x2 rows that leave the centre of the image where it is."""
    x, y = (width - 1) / 2, (height - 1) / 2
    return _affine(
        (*first, x - (first[0] * x + first[1] * y)),
        (*second, y - (second[0] * x + second[1] * y)),
    )


def _affine(first: _Row, second: _Row) -> tf.Tensor:
    """Returns the matrices of two rows, each of three values of shape [batch]."""
    zero, one = tf.zeros_like(first[0]), tf.ones_like(first[0])
    return tf.reshape(tf.stack([*first, *second, zero, zero, one], axis=1), [-1, 3, 3])

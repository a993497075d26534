"""Changes of pixel values, with one amount an image.

Images are float32 [batch, height, width, channel] in 0..1, and so are the results; amounts are
float32 [batch]. With the amount that means "no change" the images come back as they are, bit for
bit. An image of one channel has no hue and no saturation: there these ops return it unchanged.
"""

import tensorflow as tf

# Rec. 601, as Pillow's "L" has it; they sum to 1, so that white stays white.
_LUMA = (0.299, 0.587, 0.114)


def brightness(images: tf.Tensor, amounts: tf.Tensor) -> tf.Tensor:
    """Returns the images with the amount added to every value; 0 changes nothing."""
    return _clipped(images + _per_image(amounts))


def contrast(images: tf.Tensor, factors: tf.Tensor) -> tf.Tensor:
    """Returns the images with each value's distance from its channel's mean multiplied.

    The mean is that of the image itself, as in `tf.image.adjust_contrast`; 1 changes nothing.
    """
    return _blend(tf.reduce_mean(images, axis=(1, 2), keepdims=True), images, factors)


def saturation(images: tf.Tensor, factors: tf.Tensor) -> tf.Tensor:
    """Returns the images with each value's distance from its pixel's gray multiplied.

    0 gives gray, 1 changes nothing, 2 doubles the colors.
    """
    if images.shape[-1] == 1:
        return images
    return _blend(_grey(images), images, factors)


def hue(images: tf.Tensor, turns: tf.Tensor) -> tf.Tensor:
    """Returns the images with the hue of every pixel moved on by a share of the color circle.

    Equal to `tf.image.adjust_hue`, which takes one amount for all images; 0 changes nothing.
    """
    if images.shape[-1] == 1:
        return images
    hues, saturations, values = tf.unstack(tf.image.rgb_to_hsv(images), axis=-1)
    hues += turns[:, tf.newaxis, tf.newaxis]
    hues -= tf.floor(hues)
    moved = tf.image.hsv_to_rgb(tf.stack([hues, saturations, values], axis=-1))
    # HSV and back rounds, so what is not moved is taken as it was.
    return tf.raw_ops.Select(condition=turns == 0, x=images, y=_clipped(moved))


def grayscale(images: tf.Tensor, chosen: tf.Tensor) -> tf.Tensor:
    """Returns the images with the chosen ones (bool [batch]) in shades of gray."""
    if images.shape[-1] == 1:
        return images
    return _blend(_grey(images), images, 1 - tf.cast(chosen, images.dtype))


def erase(images: tf.Tensor, boxes: tf.Tensor, value: float) -> tf.Tensor:
    """Returns the images with one rectangle each set to a value.

    Args:
        images: as above.
        boxes: float32 [batch, 4] of whole numbers: top, left, height, width. A height of 0 erases
            nothing.
        value: what every channel is set to.
    """
    top, left, height, width = tf.unstack(boxes[:, tf.newaxis], axis=2)  # [batch, 1] each
    row = tf.range(images.shape[1], dtype=tf.float32)
    column = tf.range(images.shape[2], dtype=tf.float32)
    rows = (row >= top) & (row < top + height)  # [batch, height]
    columns = (column >= left) & (column < left + width)  # [batch, width]
    erased = tf.cast(rows[:, :, tf.newaxis] & columns[:, tf.newaxis], images.dtype)
    erased = erased[..., tf.newaxis]
    return images * (1 - erased) + value * erased  # a broadcast `where` is 3 times slower


def _blend(origin: tf.Tensor, images: tf.Tensor, factors: tf.Tensor) -> tf.Tensor:
    """Returns `origin + (images - origin) * factors`, so written that a factor of 1 is exact."""
    factors = _per_image(factors)
    return _clipped(images * factors + origin * (1 - factors))


def _grey(images: tf.Tensor) -> tf.Tensor:
    """Returns float32 [batch, height, width, 1]."""
    red, green, blue = tf.unstack(images, axis=-1)
    return (red * _LUMA[0] + green * _LUMA[1] + blue * _LUMA[2])[..., tf.newaxis]


def _per_image(amounts: tf.Tensor) -> tf.Tensor:
    return amounts[:, tf.newaxis, tf.newaxis, tf.newaxis]


def _clipped(images: tf.Tensor) -> tf.Tensor:
    return tf.clip_by_value(images, 0.0, 1.0)

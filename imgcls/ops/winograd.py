"""The gradient of a 3x3 convolution's kernel with a quarter of the multiplications.

Winograd's minimal filtering F(4x4, 3x3) (https://arxiv.org/abs/1509.09308): images and gradients
are cut into tiles, each tile is transformed by small constant matrices, and what remains is one
matrix product for each of a transformed tile's 6x6 places. The transforms of all tiles of a row are
one matrix themselves, so that everything here is a matrix product.

In float32 it errs as the plain sum does, by some 1e-5 of the gradient's size.
"""

from typing import Literal

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

_GRADIENTS, _KERNEL = 4, 3  # sides of a tile of the gradients, and of the kernel
_SIDE = _GRADIENTS + _KERNEL - 1  # of a tile of the images, and of both transformed
_MOST_BYTES = 2**25  # of transformed tiles at once; more is no faster

# The paper's B, A and G of F(4x4, 3x3), the first two transposed as it has them.
_OF_IMAGES = np.array(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ],
    np.float32,
)
_OF_GRADIENTS = np.array(
    [[1, 0, 0, 0], [1, 1, 1, 1], [1, -1, 1, -1], [1, 2, 4, 8], [1, -2, 4, -8], [0, 0, 0, 1]],
    np.float32,
)
_OF_KERNEL = np.array(
    [[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]], np.float32
) / np.float32(24)


def kernel_gradient(
    images: tf.Tensor, gradients: tf.Tensor, padding: Literal["same", "valid"]
) -> tf.Tensor:
    """Returns the gradient of the kernel of a convolution with stride 1.

    Args:
        images: float32 [batch, height, width, channel], the convolution's input.
        gradients: float32 [batch, height, width, filter], of its output.
        padding: the convolution's.

    Returns:
        float32 [3, 3, channel, filter].
    """
    lead = _KERNEL // 2 if padding == "same" else 0
    tiles = [-(-side // _GRADIENTS) for side in gradients.shape[1:3]]
    channels = images.shape[3] + gradients.shape[3]
    most = max(1, _MOST_BYTES // (4 * channels * _SIDE**2 * tiles[0] * tiles[1]))
    at_once = tf.clip_by_value(tf.shape(images)[0], 1, most)
    whole = tf.shape(images)[0] // at_once

    def some(number: tf.Tensor, total: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        begin = [number * at_once, 0, 0, 0]
        parts = [tf.slice(each, begin, [at_once, *each.shape[1:]]) for each in (images, gradients)]
        return number + 1, total + _kernel_gradient(parts[0], parts[1], lead, tiles)

    rest = _kernel_gradient(images[whole * at_once :], gradients[whole * at_once :], lead, tiles)
    _, total = tf.while_loop(
        lambda number, _: number < whole, some, (0, rest), parallel_iterations=1
    )
    return total


def _kernel_gradient(
    images: tf.Tensor, gradients: tf.Tensor, lead: int, tiles: list[int]
) -> tf.Tensor:
    of_images = _transformed(images, _OF_IMAGES, lead, tiles)
    of_gradients = _transformed(gradients, _OF_GRADIENTS, 0, tiles)
    products = tf.linalg.matmul(of_images, of_gradients, transpose_a=True)
    filters = products.shape[1:]
    places = tf.reduce_sum(tf.reshape(products, [_SIDE, tiles[0], _SIDE, *filters]), axis=1)
    return tf.einsum("ik,jl,ijcf->klcf", _OF_KERNEL, _OF_KERNEL, places)


def _transformed(
    images: tf.Tensor, transform: NDArray[np.float32], lead: int, tiles: list[int]
) -> tf.Tensor:
    """Returns the transformed tiles, [place down x tile down x place right, tile right x batch, c].

    `images` are [batch, height, width, c], and begin `lead` pixels behind the first tile.
    """
    _, height, width, channels = images.shape
    down = _of_rows(transform, tiles[0], lead, height)
    right = _of_rows(transform, tiles[1], lead, width)
    rows = tf.reshape(tf.transpose(images, [1, 2, 0, 3]), [height, -1])
    columns = tf.reshape(tf.linalg.matmul(down, rows), [len(down), width, -1])
    every = tf.linalg.matmul(right, columns)  # [place x tile down, place x tile right, batch x c]
    count = tf.shape(images)[0] * tiles[1]
    return tf.reshape(every, [len(down) * _SIDE, count, channels])


def _of_rows(
    transform: NDArray[np.float32], tiles: int, lead: int, size: int
) -> NDArray[np.float32]:
    """Returns what transforms all tiles of a row of pixels, [place x tile, size]."""
    places, side = transform.shape
    matrix = np.zeros((places, tiles, lead + tiles * _GRADIENTS + _SIDE), np.float32)
    for tile in range(tiles):
        matrix[:, tile, tile * _GRADIENTS : tile * _GRADIENTS + side] = transform
    return matrix[:, :, lead : lead + size].reshape(places * tiles, size)

"""The operations of one step of a config, with the least arithmetic and memory traffic of each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Operation:
    """A part of a step.

    Attributes:
        name: the layer, and what is computed.
        run: computes it once.
        operations: the number of floating-point multiplications and additions.
        bytes: the least number of bytes read and written, with each tensor counted once.
        less: the part of `run` whose time is subtracted, or None.
    """

    name: str
    run: Callable[[], Any]
    operations: float
    bytes: float
    less: Callable[[], Any] | None = None


def operations(path: Path) -> Iterator[Operation]:
    """Yields the operations of one step of a config, in the order of the network."""
    import keras
    import tensorflow as tf

    from imgcls.config import reader
    from imgcls.data import dataset
    from imgcls.training.prepare import prepare

    config = reader.read(path, ["training.precision=float32"]).config
    data = dataset.load(config.dataset, config.seed, lambda _: None, only=("train",))
    prepared = prepare(config, data, lambda _: None)
    model = prepared.network.model
    whole = (keras.layers.MaxPooling2D, keras.layers.BatchNormalization, keras.layers.Activation)
    shape = (config.training.batch_size, *model.input_shape[1:])
    for number, layer in enumerate(model.layers):
        inputs = tf.random.normal(shape)
        outputs = layer(inputs)
        if isinstance(layer, keras.layers.Conv2D):
            yield from _convolution(layer, inputs, outputs, first=number == 0)
        elif isinstance(layer, whole):
            yield from _whole(layer, inputs, outputs)
        elif isinstance(layer, keras.layers.Dense):
            yield from _dense(layer, inputs, outputs)
        elif not isinstance(layer, keras.layers.Flatten):
            raise SystemExit(f"{path}: {layer.name} is not known here")
        shape = tuple(outputs.shape)
    yield _loss(tf.random.normal(shape), tf.one_hot(tf.zeros(shape[0], tf.int32), shape[1]))
    optimizer = config.stages[0].optimizer.build(prepared.plan.steps_per_epoch, 1)
    yield _update(optimizer, model.trainable_variables)


def _convolution(layer: Any, inputs: Any, outputs: Any, *, first: bool) -> Iterator[Operation]:  # noqa: ANN401
    import tensorflow as tf

    kernel, padding = layer.kernel.value, layer.padding.upper()
    strides = [1, *layer.strides, 1]
    count = 2.0 * _size(outputs) * _size(kernel) / outputs.shape[-1]
    moved = _bytes(inputs, kernel, outputs)
    yield _operation(_forward_name(layer), lambda: layer(inputs), count, moved)
    yield from _before(layer, outputs)
    yield _operation(
        f"{layer.name}, gradient of the kernel",
        lambda: _of_kernel(layer, inputs, kernel, outputs),
        count,
        moved,
    )
    if not first:
        yield _operation(
            f"{layer.name}, gradient of the input",
            lambda: tf.raw_ops.Conv2DBackpropInput(
                input_sizes=inputs.shape,
                filter=kernel,
                out_backprop=outputs,
                strides=strides,
                padding=padding,
            ),
            count,
            moved,
        )


def _of_kernel(layer: Any, inputs: Any, kernel: Any, gradients: Any) -> Any:  # noqa: ANN401
    """Returns the gradient as computed in training; when traced, nothing else is computed."""
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(kernel)
        outputs = layer.convolution_op(inputs, kernel)
    return tape.gradient(outputs, kernel, gradients)


def _whole(layer: Any, inputs: Any, outputs: Any) -> Iterator[Operation]:  # noqa: ANN401
    import tensorflow as tf

    # Gradients need values that the forward operation keeps, so they cannot run alone.
    def both() -> Any:  # noqa: ANN401
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            found = layer(inputs, training=True)
        return found, tape.gradient(found, inputs, outputs)

    forward = _operation(
        layer.name,
        lambda: layer(inputs, training=True),
        _size(inputs),
        _bytes(inputs, outputs),
    )
    yield forward
    yield Operation(
        f"{layer.name}, gradient of the input",
        tf.function(both, autograph=False),
        _size(inputs),
        _bytes(inputs, outputs),
        less=forward.run,
    )


def _dense(layer: Any, inputs: Any, outputs: Any) -> Iterator[Operation]:  # noqa: ANN401
    import tensorflow as tf

    kernel = layer.kernel.value
    count, moved = 2.0 * _size(inputs) * kernel.shape[1], _bytes(inputs, kernel, outputs)
    yield _operation(_forward_name(layer), lambda: layer(inputs), count, moved)
    yield from _before(layer, outputs)
    yield _operation(
        f"{layer.name}, gradient of the kernel",
        lambda: tf.linalg.matmul(inputs, outputs, transpose_a=True),
        count,
        moved,
    )
    yield _operation(
        f"{layer.name}, gradient of the input",
        lambda: tf.linalg.matmul(outputs, kernel, transpose_b=True),
        count,
        moved,
    )


def _forward_name(layer: Any) -> str:  # noqa: ANN401
    bias = ", bias" if layer.use_bias else ""
    return f"{layer.name}{bias}{', activation' if layer.activation.__name__ != 'linear' else ''}"


def _before(layer: Any, outputs: Any) -> Iterator[Operation]:  # noqa: ANN401
    """Yields the gradient operations that precede the product: the activation, the bias."""
    import tensorflow as tf

    axes = list(range(len(outputs.shape) - 1))
    if layer.activation.__name__ == "relu":
        yield _operation(
            f"{layer.name}, gradient of the activation",
            lambda: tf.raw_ops.ReluGrad(gradients=outputs, features=outputs),
            _size(outputs),
            3 * _bytes(outputs),
        )
    if layer.use_bias:
        yield _operation(
            f"{layer.name}, gradient of the bias",
            lambda: tf.reduce_sum(outputs, axes),
            _size(outputs),
            _bytes(outputs),
        )


def _loss(logits: Any, targets: Any) -> Operation:  # noqa: ANN401
    import tensorflow as tf

    def run() -> Any:  # noqa: ANN401
        found = tf.raw_ops.SoftmaxCrossEntropyWithLogits(features=logits, labels=targets)
        return found.loss, found.backprop

    return _operation("loss and its gradient", run, 5.0 * _size(logits), 3 * _bytes(logits))


def _update(optimizer: Any, weights: Any) -> Operation:  # noqa: ANN401
    import tensorflow as tf

    optimizer.build(weights)
    gradients = [tf.zeros(each.shape) for each in weights]
    size = float(sum(_size(each) for each in gradients))

    def run() -> Any:  # noqa: ANN401
        optimizer.apply_gradients(zip(gradients, weights, strict=True))
        return tf.zeros([])

    # The gradient is read; the weight and the optimizer's averages are read and written.
    averages = sum(_size(each) for each in optimizer.variables) - 2  # step count, learning rate
    moved = 4 * (3 * size + 2 * averages)
    return _operation(type(optimizer).__name__, run, 12 * size, moved)


def _operation(name: str, run: Callable[[], Any], operations: float, moved: float) -> Operation:
    import tensorflow as tf

    return Operation(name, tf.function(run, autograph=False), operations, moved)


def _size(tensor: Any) -> float:  # noqa: ANN401
    return float(tensor.shape.num_elements())


def _bytes(*tensors: Any) -> float:  # noqa: ANN401
    return 4 * sum(_size(each) for each in tensors)

"""`python -m benchmarks.operations [CONFIG]`: a step of a plain network, operation by operation.

Each operation is run alone, in the shapes of the config's network, and held against what this
processor can do at most: the arithmetic of a large matrix product, and the memory traffic of a sum
over an array that no cache holds. Convolutions, max poolings and dense layers are known, which is
what the tutorials' networks are made of. Float32.
"""

import argparse
import shlex
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import machine, page, results

MATRIX = 2048  # rows and columns; 34 GFLOP in two products
ARRAY = 2**26  # numbers of 4 bytes
SECONDS = 0.5  # of each operation
FEWEST = 5  # times that each is run, at least


@dataclass(frozen=True)
class Operation:
    """A part of a step.

    Attributes:
        name: the layer and what is computed of it.
        run: computes it once.
        operations: floating-point, counted as multiplications and additions.
        bytes: that are read and written at least, each tensor once.
        less: whose time is not counted: what `run` has to do before.
    """

    name: str
    run: Callable[[], Any]
    operations: float
    bytes: float
    less: Callable[[], Any] | None = None


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, keeps the result and writes the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.operations", description=__doc__)
    parser.add_argument("config", type=Path, nargs="?", default=Path("configs/cifar10.yaml"))
    parser.add_argument("--quick", action="store_true", help="run each once, nothing kept")
    options = parser.parse_args(arguments)
    here = machine.look()
    seconds = 0.0 if options.quick else SECONDS
    from imgcls.ops import startup

    startup.start()
    peaks = _peaks(seconds)
    idle = _seconds(_nothing(), seconds)
    rows = []
    for each in _operations(options.config):
        rows.append(_row(each, seconds, peaks))
        print(rows[-1], flush=True)
    result = results.new(shlex.join(["python", "-m", "benchmarks.operations"]), here)
    result["operations"] = {
        "config": str(options.config),
        "peaks": peaks,
        "idle_seconds": idle,
        "rows": rows,
    }
    if not options.quick:
        results.save(result)
        page.PAGE.write_text(page.render(results.load()), encoding="utf-8")


def _row(operation: Operation, seconds: float, peaks: dict[str, float]) -> dict[str, Any]:
    took = _seconds(operation.run, seconds)
    if operation.less is not None:
        took -= _seconds(operation.less, seconds)
    floor = max(
        operation.operations / peaks["operations_per_second"],
        operation.bytes / peaks["bytes_per_second"],
    )
    return {
        "name": operation.name,
        "operations": operation.operations,
        "bytes": operation.bytes,
        "seconds": took,
        "floor_seconds": floor,
    }


def _peaks(seconds: float) -> dict[str, float]:
    import tensorflow as tf

    matrix = tf.random.normal([MATRIX, MATRIX])
    array = tf.random.normal([ARRAY])
    product = tf.function(lambda: tf.linalg.matmul(matrix, matrix), autograph=False)
    total = tf.function(lambda: tf.reduce_sum(array), autograph=False)
    return {
        "operations_per_second": 2 * MATRIX**3 / _seconds(product, seconds),
        "bytes_per_second": 4 * ARRAY / _seconds(total, seconds),
    }


def _nothing() -> Callable[[], Any]:
    import tensorflow as tf

    zero = tf.zeros([])
    idle: Callable[[], Any] = tf.function(lambda: tf.identity(zero), autograph=False)
    return idle


def _seconds(run: Callable[[], Any], at_least: float) -> float:
    """Returns the median time of a call, its result waited for."""
    import tensorflow as tf

    tf.nest.map_structure(_wait, run())
    taken: list[float] = []
    while sum(taken) < at_least or len(taken) < FEWEST:
        began = time.perf_counter()
        tf.nest.map_structure(_wait, run())
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def _wait(value: Any) -> None:  # noqa: ANN401  # TensorFlow has no types
    value.numpy()  # on a CPU, a view


def _operations(path: Path) -> Iterator[Operation]:
    """Yields the operations of one step of a config, in the order of the network."""
    import keras
    import tensorflow as tf

    from imgcls.config import reader
    from imgcls.data import dataset
    from imgcls.training import machine as machines
    from imgcls.training import setup

    config = reader.read(path, ["training.precision=float32"]).config
    data = dataset.load(config.dataset, config.seed, lambda _: None, only=("train",))
    engine = setup.engine_of(
        config, data, setup.traits_of(config, data), machines.choose(config.training)
    )
    shape = (config.training.batch_size, *engine.model.input_shape[1:])
    for number, layer in enumerate(engine.model.layers):
        inputs = tf.random.normal(shape)
        outputs = layer(inputs)
        if isinstance(layer, keras.layers.Conv2D):
            yield from _convolution(layer, inputs, outputs, first=number == 0)
        elif isinstance(layer, keras.layers.MaxPooling2D):
            yield from _pooling(layer, inputs, outputs)
        elif isinstance(layer, keras.layers.Dense):
            yield from _dense(layer, inputs, outputs)
        elif not isinstance(layer, keras.layers.Flatten):
            raise SystemExit(f"{path}: {layer.name} is not known here")
        shape = tuple(outputs.shape)
    labels = tf.zeros(shape[0], tf.int32)
    yield _loss(tf.random.normal(shape), labels)
    yield _update(engine)


def _convolution(layer: Any, inputs: Any, outputs: Any, *, first: bool) -> Iterator[Operation]:  # noqa: ANN401
    import tensorflow as tf

    kernel, padding = layer.kernel.value, layer.padding.upper()
    strides = [1, *layer.strides, 1]
    count = 2.0 * _size(outputs) * _size(kernel) / outputs.shape[-1]
    moved = _bytes(inputs, kernel, outputs)
    yield _operation(f"{layer.name}, bias, activation", lambda: layer(inputs), count, moved)
    yield from _before(layer, outputs)
    yield _operation(
        f"{layer.name}, gradient of the kernel",
        lambda: tf.raw_ops.Conv2DBackpropFilter(
            input=inputs,
            filter_sizes=kernel.shape,
            out_backprop=outputs,
            strides=strides,
            padding=padding,
        ),
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


def _pooling(layer: Any, inputs: Any, outputs: Any) -> Iterator[Operation]:  # noqa: ANN401
    import tensorflow as tf

    # oneDNN's gradient uses what its forward operation has kept, so it cannot run alone.
    def both() -> Any:  # noqa: ANN401
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            found = layer(inputs)
        return found, tape.gradient(found, inputs, outputs)

    forward = _operation(layer.name, lambda: layer(inputs), _size(inputs), _bytes(inputs, outputs))
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
    yield _operation(f"{layer.name}, bias, activation", lambda: layer(inputs), count, moved)
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


def _before(layer: Any, outputs: Any) -> Iterator[Operation]:  # noqa: ANN401
    """Yields what the gradient passes before it is at the product: the activation, the bias."""
    import tensorflow as tf

    axes = list(range(len(outputs.shape) - 1))
    if layer.activation.__name__ == "relu":
        yield _operation(
            f"{layer.name}, gradient of the activation",
            lambda: tf.raw_ops.ReluGrad(gradients=outputs, features=outputs),
            _size(outputs),
            3 * _bytes(outputs),
        )
    yield _operation(
        f"{layer.name}, gradient of the bias",
        lambda: tf.reduce_sum(outputs, axes),
        _size(outputs),
        _bytes(outputs),
    )


def _loss(logits: Any, labels: Any) -> Operation:  # noqa: ANN401
    import tensorflow as tf

    def run() -> Any:  # noqa: ANN401
        found = tf.raw_ops.SparseSoftmaxCrossEntropyWithLogits(features=logits, labels=labels)
        return found.loss, found.backprop

    return _operation("loss and its gradient", run, 5.0 * _size(logits), 2 * _bytes(logits))


def _update(engine: Any) -> Operation:  # noqa: ANN401
    import tensorflow as tf

    weights = engine.model.trainable_variables
    gradients = [tf.zeros(each.shape) for each in weights]
    size = float(sum(_size(each) for each in gradients))

    def run() -> Any:  # noqa: ANN401
        engine.optimizer.apply_gradients(zip(gradients, weights, strict=True))
        return tf.zeros([])

    # Of Adam: the gradient is read; the weight and both averages are read and written.
    return _operation(type(engine.optimizer).__name__, run, 12 * size, 7 * 4 * size)


def _operation(name: str, run: Callable[[], Any], operations: float, moved: float) -> Operation:
    import tensorflow as tf

    return Operation(name, tf.function(run, autograph=False), operations, moved)


def _size(tensor: Any) -> float:  # noqa: ANN401
    return float(tensor.shape.num_elements())


def _bytes(*tensors: Any) -> float:  # noqa: ANN401
    return 4 * sum(_size(each) for each in tensors)


if __name__ == "__main__":
    main()

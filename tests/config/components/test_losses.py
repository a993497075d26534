"""Losses are Keras' own, computed so that they stay finite for logits of any size."""

import inspect

import numpy as np
import pytest

from imgcls.config.components.losses import (
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    Loss,
    MeanAbsoluteError,
    MeanSquaredError,
    SparseCategoricalCrossentropy,
)
from imgcls.data.targets import Targets

LEFT_OUT = {
    "name": "metrics.jsonl calls it loss",
    "reduction": "always the mean over a batch's images, weighted by class_weight",
    "axis": "logits are [batch, class]",
    "dtype": "losses are float32",
    "from_logits": "always from the logits, whatever the last layer is",
    "ignore_class": "each image has a class",
}

EXAMPLES = [
    CategoricalCrossentropy(),
    CategoricalCrossentropy(label_smoothing=0.2),
    SparseCategoricalCrossentropy(),
    CategoricalFocalCrossentropy(),
    CategoricalFocalCrossentropy(alpha=0.7, gamma=0.5, label_smoothing=0.1),
    CategoricalFocalCrossentropy(gamma=0),
    MeanSquaredError(),
    MeanAbsoluteError(),
]

every = pytest.mark.parametrize("loss", Loss.named().values(), ids=Loss.named())
each = pytest.mark.parametrize("loss", EXAMPLES, ids=repr)


def some(scale, classes=5, images=40):
    """Returns labels, and logits with this standard deviation."""
    generator = np.random.default_rng(7)
    labels = generator.integers(0, classes, images).astype("int32")
    return labels, (generator.normal(size=(images, classes)) * scale).astype("float32")


def targets_of(loss, labels, classes=5):
    """Returns the targets of these labels as in training."""
    return Targets(classes, loss.smoothing).lookup(labels)(np.arange(len(labels)))[0].numpy()


def keras_loss(loss, targets, logits):
    """Returns Keras' loss on probabilities, given targets that are already smoothed."""
    import keras

    fields = {name: value for name, value in dict(loss).items() if name != "label_smoothing"}
    kind = type(loss)
    if kind is SparseCategoricalCrossentropy:  # its targets are distributions here too
        kind = CategoricalCrossentropy
    theirs = getattr(keras.losses, kind.__name__)(**fields, reduction="none")
    # As an array: a tensor remembers its logits, and Keras would compute from those.
    return theirs(targets, keras.ops.softmax(logits).numpy()).numpy()


def whole_keras_loss(loss, labels, logits):
    """Returns Keras' loss of the same name and fields, given labels, which it smooths itself."""
    import keras

    theirs = getattr(keras.losses, type(loss).__name__)(**dict(loss), reduction="none")
    probabilities = keras.ops.softmax(logits).numpy()
    if isinstance(loss, SparseCategoricalCrossentropy):
        return theirs(labels, probabilities).numpy()
    return theirs(keras.ops.one_hot(labels, logits.shape[-1]), probabilities).numpy()


def loss_and_gradient(loss, targets, logits):
    import tensorflow as tf

    @tf.function
    def both(targets, logits):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            losses = loss.per_image(targets, logits)
        return losses, tape.gradient(losses, logits)

    losses, gradient = both(tf.constant(targets), tf.constant(logits))
    return losses.numpy(), gradient.numpy()


def test_the_examples_are_of_every_loss():
    """
    A new loss must be compared with Keras too.
    """
    assert set(Loss.named().values()) == {type(loss) for loss in EXAMPLES}


@every
def test_fields_and_defaults_are_those_of_keras(loss):
    """
    Users who know Keras can write a config, and get what Keras would do.
    """
    import keras

    signature = inspect.signature(getattr(keras.losses, loss.__name__).__init__)
    defaults = {
        name: parameter.default
        for name, parameter in signature.parameters.items()
        if name not in {"self", *LEFT_OUT}
    }

    assert defaults == {name: field.default for name, field in loss.model_fields.items()}


@every
def test_a_loss_has_keras_names(loss):
    """
    Tutorials use the class name as well as the identifier.
    """
    import keras

    assert loss.identifier() == keras.losses.get(loss.identifier()).__name__
    assert loss() == Loss.read(loss.identifier())
    assert loss() == Loss.read(loss.__name__)
    assert {loss.identifier(): dict(loss())} == loss().model_dump()


def test_the_short_names_are_keras_too():
    """
    `mse` and `mae` are what people type.
    """
    assert [MeanSquaredError()] * 2 == [Loss.read("mse"), Loss.read("MSE")]
    assert [MeanAbsoluteError()] * 2 == [Loss.read("mae"), Loss.read("MAE")]


@each
def test_a_loss_is_keras_loss_on_probabilities(loss):
    """
    Users must be able to reproduce the losses of a tutorial.
    """
    labels, logits = some(scale=2)
    losses, gradient = loss_and_gradient(loss, targets_of(loss, labels), logits)

    assert np.allclose(whole_keras_loss(loss, labels, logits), losses, rtol=1e-6, atol=1e-6)
    assert losses.dtype == gradient.dtype == np.float32
    assert losses.shape == labels.shape


@each
def test_a_loss_takes_any_distribution_as_its_target(loss):
    """
    An image mixed from two others belongs partly to one class and partly to another.
    """
    _, logits = some(scale=2)
    generator = np.random.default_rng(3)
    soft = generator.dirichlet(np.full(5, 0.4), len(logits)).astype("float32")
    losses, gradient = loss_and_gradient(loss, soft, logits)

    assert np.allclose(keras_loss(loss, soft, logits), losses, rtol=1e-5, atol=1e-5)
    assert np.allclose(slopes(loss, soft, logits), gradient, rtol=1e-3, atol=1e-4)


def slopes(loss, targets, logits, step=1e-5):
    """Returns the gradient by finite differences, in float64."""
    import tensorflow as tf

    wide = tf.constant(targets, tf.float64)

    def losses(moved):
        return loss.per_image(wide, tf.constant(moved, tf.float64)).numpy()

    exact = logits.astype("float64")
    columns = [step * row for row in np.eye(logits.shape[1])]
    return np.stack(
        [(losses(exact + each) - losses(exact - each)) / (2 * step) for each in columns], axis=1
    )


@each
def test_a_loss_and_its_gradient_stay_finite_at_any_scale(loss):
    """
    A single batch with a nan loss ends a run.
    """
    for scale in (0, 30, 1e4):
        labels, logits = some(scale)
        losses, gradient = loss_and_gradient(loss, targets_of(loss, labels), logits)

        assert np.all(np.isfinite(losses))
        assert np.all(np.isfinite(gradient))


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (CategoricalCrossentropy(), 60),
        (SparseCategoricalCrossentropy(), 60),
        (CategoricalCrossentropy(label_smoothing=0.3), 0.7 * 60 + 0.3 * 40),
        (CategoricalFocalCrossentropy(), 0.25 * 60),
    ],
    ids=repr,
)
def test_a_very_wrong_image_still_counts_in_full_and_still_teaches(loss, expected):
    """
    Computed from probabilities, Keras' loss is capped at about 16 and its gradient is 0: nothing
    would be learned.
    """
    targets = targets_of(loss, np.array([1], "int32"), 3)
    logits = np.array([[60, 0, 0]], "float32")
    losses, gradient = loss_and_gradient(loss, targets, logits)

    assert losses[0] == pytest.approx(expected)
    assert keras_loss(loss, targets, logits)[0] < 17
    assert gradient[0, 1] < -0.2

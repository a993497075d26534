"""The kind of batch normalization that a config gets."""

import keras
import pytest

from imgcls.ops import normalization
from tests.stacks import built


@pytest.mark.parametrize("replicas", [1, 2])
def test_batch_normalization_is_fused_on_one_device_and_synchronized_on_several(
    replicas: int,
) -> None:
    """
    The fused op cannot synchronize; without synchronization, the replicas' statistics drift apart.
    """
    fields = {"momentum": 0.9, "scale": False, "beta_regularizer": {"L2": {"l2": 0.5}}}
    layer = built({"BatchNormalization": fields}, (8, 8, 4), replicas=replicas)

    assert isinstance(layer, normalization.BatchNormalization)
    assert (replicas > 1) == layer.synchronized
    assert isinstance(layer, keras.layers.BatchNormalization)
    assert (0.9, False, 0.5) == (layer.momentum, layer.scale, float(layer.beta_regularizer.l2))

"""Training in float16: it learns, and resumes bit-identically, including the loss scale."""

import pytest
import tensorflow as tf
import yaml

from imgcls.commands.train import train
from imgcls.config.components.training import Training
from imgcls.errors import ConfigError
from imgcls.events import Saved
from imgcls.runs import checkpoints, folders
from imgcls.runs.checkpoints import OPTIMIZER
from imgcls.training import machine
from tests.commands.compared import assert_same, rows
from tests.commands.stopping import StopAt


@pytest.fixture
def write(tmp_path, small):
    def write(precision):
        path = tmp_path / "half.yaml"
        training = {"epochs": 2, "batch_size": 64, "precision": precision}
        training |= {"checkpoint_seconds": 0.5}
        path.write_text(yaml.safe_dump(small(training=training)), encoding="utf-8")
        return path

    return write


def test_it_learns_what_float32_learns_and_goes_on_bit_for_bit(write, tmp_path):
    """
    Many GPUs accelerate float16 only; training on them must be no worse, and must be resumable.
    """
    whole = train(write("float16"), lambda _: None, root=tmp_path / "whole").run
    exact = train(write("float32"), lambda _: None, root=tmp_path / "exact").run
    press = StopAt(lambda event: isinstance(event, Saved))
    run = train(write("float16"), press, root=tmp_path / "runs").run
    train(None, lambda _: None, resume=run)
    newest, _ = checkpoints.newest(folders.open_run(run).checkpoints)

    assert_same(whole, run)
    assert newest is not None
    optimizer = newest.read(OPTIMIZER)
    factor, good = (float(optimizer[name]) for name in sorted(optimizer)[-2:])
    assert factor > 1
    assert good > 0
    assert rows(exact)[-1]["loss"] == pytest.approx(rows(whole)[-1]["loss"], rel=0.1)


def test_several_devices_are_told_to_take_bfloat16(monkeypatch):
    """
    If one device skipped a step because of non-finite gradients, the others would wait forever.
    """
    cpu = tf.config.list_logical_devices("CPU")[0]
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda _kind: [cpu, cpu])
    with pytest.raises(ConfigError, match="float16 does not work with 2 replicas") as caught:
        machine.choose(Training(replicas=2, precision="float16", device="cpu"))

    assert "training.precision" == caught.value.mistakes[0].key

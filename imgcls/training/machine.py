"""The device, replicas and precision of training."""

import os
import platform
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf

from imgcls.config.components.training import Training
from imgcls.errors import ConfigError, ResourceError
from imgcls.ops import processor, startup

BFLOAT16_GPU_CAPABILITY = (8, 0)

BITS = (
    *("tensorflow", "keras", "numpy"),
    *("device", "replicas", "precision", "threads", "variables"),
)
"""The keys of `environment` that affect bit-identical results."""

_VARIABLES = re.compile(
    r"(TF|XLA|OMP|KMP|GOMP|DNNL|ONEDNN|MKL|OPENBLAS|EIGEN|CUDNN|CUBLAS)_.+|NVIDIA_TF32_OVERRIDE"
)
"""The environment variables that can change the numbers."""

_HARMLESS = re.compile(
    r"TF_(CPP_.+|CONFIG|FORCE_GPU_ALLOW_GROWTH|GPU_ALLOCATOR|FORCE_UNIFIED_MEMORY)|"
    r"(OMP|KMP)_(DISPLAY_.+|WARNINGS|SETTINGS|VERSION)|CUDNN_LOG.+"
)
"""Those of them that only change messages, addresses or memory."""


@dataclass(frozen=True)
class Machine:
    """The devices and the precision chosen for training.

    Attributes:
        strategy: places variables and runs steps, on one device or several.
        precision: float32, bfloat16 or float16.
        device: a one-line description for users.
        on_gpu: whether the devices are GPUs.
        warnings: warnings about the choice for the user.
    """

    strategy: tf.distribute.Strategy
    precision: str
    device: str
    on_gpu: bool
    warnings: tuple[str, ...] = ()

    @property
    def replicas(self) -> int:
        """The number of devices that share a batch."""
        return int(self.strategy.num_replicas_in_sync)


def choose(training: Training) -> Machine:
    """Returns the devices and the precision to train with.

    Raises:
        ResourceError: if a GPU is asked for and none can be used, with TensorFlow's reason.
        ConfigError: if more replicas are asked for than there are devices.
    """
    gpus = tf.config.list_logical_devices("GPU") if training.device != "cpu" else []
    if training.device == "gpu" and not gpus:
        raise ResourceError(f"training.device is gpu, but {why_no_gpu()}")
    warnings = []
    if training.device == "auto" and not gpus and Path("/proc/driver/nvidia/gpus").exists():
        warnings.append(f"there is a GPU, but {why_no_gpu()}; training on the CPU")
    devices = gpus or tf.config.list_logical_devices("CPU")
    count = len(gpus) or 1 if training.replicas == "auto" else training.replicas
    if count > len(devices):
        raise ConfigError.at(
            "training.replicas", f"must be at most {len(devices)}, the devices here; got {count}"
        )
    if count > 1 and training.xla:
        raise ConfigError.at("training.xla", f"does not work with {count} replicas; leave it out")
    if count > 1 and training.precision == "float16":
        raise ConfigError.at(
            "training.precision", f"float16 does not work with {count} replicas; write bfloat16"
        )
    if count > 1 and training.batch_size < 2 * count:
        raise ConfigError.at(
            "training.batch_size",
            f"must be at least {2 * count}, two images a device; got {training.batch_size}",
        )
    names = [device.name for device in devices[:count]]
    strategy = (
        tf.distribute.MirroredStrategy(names)
        if count > 1
        else tf.distribute.OneDeviceStrategy(names[0])
    )
    precision = training.precision
    if precision == "auto":
        precision = "bfloat16" if (_gpus_have if gpus else _cpu_has)() else "float32"
    return Machine(strategy, precision, _words(bool(gpus), count), bool(gpus), tuple(warnings))


def why_no_gpu() -> str:
    """Returns why TensorFlow cannot use a GPU here and what to do, as a clause."""
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0") in {"", "-1"}:
        return "CUDA_VISIBLE_DEVICES hides all of them; unset it"
    said = [line for line in startup.start().splitlines() if "cuda" in line.lower()]
    reason = f" (TensorFlow: {said[0].partition('] ')[2]})" if said else ""
    return _missing() + reason


def _missing() -> str:
    if not Path("/proc/driver/nvidia/version").exists():
        return "this machine has no NVIDIA driver; install it, or write device: cpu"
    if not tf.test.is_built_with_cuda():
        return "this TensorFlow is built without CUDA; pip install 'imgcls[gpu]'"
    if not tf.config.list_physical_devices("GPU"):
        return "TensorFlow does not find its CUDA libraries; pip install 'imgcls[gpu]'"
    return "TensorFlow could not initialize it; nvidia-smi shows who uses it"


def _cpu_has() -> bool:
    return not processor.flags().isdisjoint(processor.BFLOAT16_UNITS)


def _gpus_have() -> bool:
    return all(
        tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0))
        >= BFLOAT16_GPU_CAPABILITY
        for gpu in tf.config.list_physical_devices("GPU")
    )


def _words(on_gpu: bool, count: int) -> str:
    if on_gpu:
        details = tf.config.experimental.get_device_details(
            tf.config.list_physical_devices("GPU")[0]
        )
        return f"{count} x {details.get('device_name', 'GPU')}"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    name = processor.fields().get("model name") or platform.processor() or platform.machine()
    split = f" as {count} devices" if count > 1 else ""
    return f"CPU ({name}, {cores} cores{split})"


def environment(machine: Machine, seed: int) -> dict[str, Any]:
    """Returns the content of a run's `environment.json`: what its results depend on."""
    import keras
    import numpy as np

    import imgcls

    return {
        "imgcls": imgcls.__version__,
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
        "platform": platform.platform(),
        "device": machine.device,
        "replicas": machine.replicas,
        "precision": machine.precision,
        "threads": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "variables": {
            name: value
            for name, value in sorted(os.environ.items())
            if _VARIABLES.fullmatch(name) and not _HARMLESS.fullmatch(name)
        },
        "seed": seed,
        "git_commit": git_commit(),
    }


def git_commit() -> str | None:
    """Returns the commit of the repository that contains the current folder, or None."""
    try:
        said = subprocess.run(  # no argument is the user's
            ["git", "rev-parse", "HEAD"],  # noqa: S607  # whichever git the user has
            capture_output=True,
            text=True,
            check=False,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return said.stdout.strip() or None if said.returncode == 0 else None

"""Finds the GPU that imgcls would train on, or the reason why there is none."""

import argparse

from benchmarks.lines import say


def main() -> None:
    """Prints the device, or the reason."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.parse_args()
    from imgcls.ops import startup

    startup.start()
    import tensorflow as tf

    from imgcls.training.machine import why_no_gpu

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        say(device=None, reason=why_no_gpu())
        return
    details = tf.config.experimental.get_device_details(gpus[0])
    say(device=details.get("device_name", "a GPU"), reason=None)


if __name__ == "__main__":
    main()

"""The 8-layer network in PyTorch: channels_last, bfloat16 autocast or float32, images in memory.

Measures eager mode and `torch.compile`, and reports the faster one. Needs PyTorch and NumPy, but
not the other dependencies of this repository.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from benchmarks.lines import say
from benchmarks.random_images import random_images

BATCH = 512
EPOCHS = 3


def network(activation: Callable[[], Any]) -> Any:  # noqa: ANN401  # PyTorch is not installed here
    """Returns the network of benchmarks/configs/eight.yaml, from images 0..1 to logits."""
    stack = [nn.Conv2d(3, 24, 2), activation()]
    before = 24
    for width in (64, 256, 256):
        stack += [
            nn.Conv2d(before, width, 3, padding=1, bias=False),
            nn.MaxPool2d(2),
            nn.BatchNorm2d(width),
            activation(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            activation(),
        ]
        before = width
    return nn.Sequential(*stack, nn.MaxPool2d(3), nn.Flatten(), nn.Linear(before, 10))


def main() -> None:
    """Trains and prints the images per second from the second epoch on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, required=True)
    parser.add_argument("--precision", choices=("float32", "bfloat16"), required=True)
    parser.add_argument("--activation", choices=("relu", "gelu"), required=True)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    torch.set_flush_denormal(True)
    pixels, numbers = random_images(BATCH if options.quick else options.images)
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2)  # channels_last in memory
    labels = torch.from_numpy(numbers).long()
    activation = nn.ReLU if options.activation == "relu" else nn.GELU
    rates: dict[str, float] = {}
    failed = None
    for way in ("eager", "compiled"):
        model = network(activation).to(memory_format=torch.channels_last).train()
        try:
            step = torch.compile(model) if way == "compiled" else model
            rates[way] = rate(model, step, images, labels, options.precision)
        except Exception as error:  # for example, without a C++ compiler
            if way == "eager":
                raise
            failed = f"{type(error).__name__}: {str(error).splitlines()[0]}"
    say(
        images_per_second=max(rates.values()),
        precision=options.precision,
        torch=torch.__version__,
        way=max(rates, key=lambda way: rates[way]),
        eager=rates["eager"],
        compiled=rates.get("compiled"),
        compiling_failed=failed,
    )


def rate(model: Any, step: Any, images: Any, labels: Any, precision: str) -> float:  # noqa: ANN401
    """Returns the images per second from the second epoch on."""
    optimizer = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9, nesterov=True, fused=True)
    loss_of = nn.CrossEntropyLoss()
    seconds = []
    for _ in range(EPOCHS):
        began = time.perf_counter()
        for chosen in torch.randperm(len(images)).split(BATCH):
            batch = images[chosen].float().div_(255)
            batch = batch.contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
                loss = loss_of(step(batch), labels[chosen])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        seconds.append(time.perf_counter() - began)
    return len(images) * (EPOCHS - 1) / sum(seconds[1:])


if __name__ == "__main__":
    main()

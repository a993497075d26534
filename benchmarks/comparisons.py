"""All comparisons, with their target ratios."""

from benchmarks.comparison import KINDS, Comparison, Contender, Kind, Target
from benchmarks.peers.cifar10 import STEPS

EIGHT = "benchmarks/configs/eight.yaml"
EIGHT_IMAGES = "2048"  # 4 steps of 512
PHOTOS = ("--set", "dataset.folder={photos}")
FLOOR_CONFIGS: dict[str, tuple[str, ...]] = {
    "configs/cifar10.yaml": (),
    EIGHT: (),
    "configs/cifar100.yaml": ("--random", "20000", "--classes", "100"),
    "configs/cifar10_upscaled.yaml": (),
    "configs/digits.yaml": (),
    "configs/fashion_mnist.yaml": (),
    "configs/mnist.yaml": (),
    "configs/mnist_choices.yaml": (),
    "configs/photos.yaml": PHOTOS,
}
"""The configs whose training is compared with its parts, and the arguments for each.

CIFAR-100 is replaced by random images, so that it need not be downloaded: the content of the images
does not affect the speed.
"""

FLOOR_STEPS = {
    "configs/cifar10_upscaled.yaml": 20,
    "configs/cifar100.yaml": 40,
    "configs/photos.yaml": 20,
    EIGHT: 8,
}
"""Steps per epoch for configs with slow steps; 200 for the others."""


def _targets(bfloat16: float, float32: float, *, at_most: bool = False) -> dict[Kind, Target]:
    return dict(zip(KINDS, (Target(bfloat16, at_most), Target(float32, at_most)), strict=True))


def _ours(name: str, *arguments: str) -> Contender:
    return Contender(name, ("benchmarks.ours.train", *arguments))


CIFAR10 = _ours(
    *("imgcls", "configs/cifar10.yaml", "--set", "training.epochs=2"),
    *("--set", f"training.steps_per_epoch={STEPS}"),
)


def _keras(name: str, *command: str) -> tuple[Contender, Contender]:
    """Returns a peer in its default settings, and with the oneDNN kernels that imgcls turns on."""
    onednn = {"TF_ENABLE_ONEDNN_OPTS": "1"}
    return (
        Contender(name, command),
        Contender(f"{name}, with TF_ENABLE_ONEDNN_OPTS=1", command, environment=onednn),
    )


def _tutorials() -> list[Comparison]:
    generator = _keras("ImageDataGenerator and fit", "benchmarks.peers.keras_generator")
    layers = _keras("random layers in tf.data and fit", "benchmarks.peers.keras_layers")
    return [
        Comparison(
            "tutorial",
            "configs/cifar10.yaml, training phase, against Keras' legacy ImageDataGenerator and "
            "`fit` as the tutorials write it",
            (CIFAR10, *generator),
            targets=_targets(3.0, 2.0),
        ),
        Comparison(
            "random_layers",
            "the same against Keras' random layers in tf.data and `fit` in its default settings",
            (CIFAR10, *layers),
            targets=_targets(2.0, 1.5),
        ),
    ]


def _eight_layers() -> list[Comparison]:
    precision = ("--images", EIGHT_IMAGES, "--precision", "{precision}")
    ours = (EIGHT, "--random", EIGHT_IMAGES, "--set", "augmentation=[]")
    relu, gelu = _ours("imgcls", *ours), _ours("imgcls", *ours, "--activation", "gelu")
    fit = _keras("Keras fit", "benchmarks.peers.keras_eight", *precision)
    against = [
        Comparison(
            "eight",
            "8-layer net, ReLU, batch 512, against Keras `fit` in the same precision",
            (relu, *fit),
            targets=_targets(1.5, 1.2),
        )
    ]
    for activation, mine, targets in (
        ("relu", relu, _targets(1.25, 1.1)),
        ("gelu", gelu, _targets(1.1, 1.0)),
    ):
        command = ("benchmarks.peers.torch_eight", *precision, "--activation", activation)
        shown = {"relu": "ReLU", "gelu": "exact GELU"}[activation]
        against.append(
            Comparison(
                f"torch_{activation}",
                f"8-layer net, {shown}, against PyTorch (channels_last; the faster of eager and "
                "compiled; bfloat16 autocast or float32)",
                (mine, Contender("PyTorch", command, "torch")),
                targets=targets,
            )
        )
    return against


def _photographs() -> Comparison:
    chosen = (*PHOTOS, "--set", "dataset.size=128", "--set", "training.epochs=2")
    return Comparison(
        "photos",
        "photographs at 128x128, second epoch, against `image_dataset_from_directory` with "
        "`.cache()` and Keras' random layers",
        (
            _ours("imgcls", "configs/photos.yaml", *chosen),
            *_keras("Keras", "benchmarks.peers.keras_folder", "{photos}"),
        ),
        targets=_targets(1.5, 1.3),
    )


def _memory() -> Comparison:
    allowed = Contender("allowed", ("benchmarks.peers.keras_import",))
    return Comparison(
        "memory",
        "peak resident memory on CIFAR-10, against that after `import keras` + 3 x 184 MB + 600 MB",
        (CIFAR10, allowed),
        figure="peak_bytes",
        unit="bytes",
        targets=_targets(1.0, 1.0, at_most=True),
    )


def _floor(config: str, chosen: tuple[str, ...]) -> Comparison:
    name = config.rpartition("/")[2].removesuffix(".yaml")
    share = {"configs/cifar10.yaml": 0.75, EIGHT: 0.9}.get(config)
    steps = f"training.steps_per_epoch={FLOOR_STEPS.get(config, 200)}"
    length = ("--set", steps, "--set", "training.epochs=3")
    part = ("benchmarks.ours.step", config, *chosen, "--part")
    return Comparison(
        f"floor_{name}",
        f"{config}{' on random images' if '--random' in chosen else ''}: training with its "
        "augmentation, as a share of its steps alone",
        (
            _ours("training", config, *chosen, *length),
            Contender("steps without input", (*part, "step")),
            Contender("input without steps", (*part, "input")),
        ),
        targets={} if share is None else _targets(share, share),
    )


def _pieces() -> list[Comparison]:
    short = ("--set", "training.epochs=3", "--set", "dataset.validation=none")
    best = ("--set", "training.best=loss")
    few = ("--set", "training.steps_per_epoch=6")
    cifar10 = ("configs/cifar10.yaml", *short, *best, "--set", "training.steps_per_epoch=150")
    eight = (EIGHT, *short, *best, *few)
    plain = (*eight, "--set", "augmentation=[]")
    upscaled = ("configs/cifar10_upscaled.yaml", *short, *best, *few)
    epochs = ("--set", "training.epochs=8", "--set", "training.steps_per_epoch=50")
    mnist = ("configs/mnist.yaml", *epochs)
    pieces = {
        "onednn": ("oneDNN's kernels, also without AVX512_VNNI", cifar10),
        "fused": ("batch normalisation through the fused op", plain),
        "compiled": ("exact GELU as compiled functions", (*plain, "--activation", "gelu")),
        "winograd": ("Winograd's gradient of convolutions' kernels", plain),
        "calls": ("many steps a call", mnist),
        "update": ("the update of many weights as a compiled function", upscaled),
        "warp": ("movements multiplied into one warp", cifar10),
        "untuned": ("seconds of a training with fixed parallelism in place of autotuning", mnist),
    }
    figures = {"untuned": ("seconds", "s")}
    module = "benchmarks.ours.pieces"
    return [
        Comparison(
            f"piece_{name}",
            f"{title}, against training without",
            (
                Contender("with", (module, *arguments)),
                Contender("without", (module, *arguments, "--without", name)),
            ),
            *figures.get(name, ("images_per_second", "images/s")),
        )
        for name, (title, arguments) in pieces.items()
    ]


def _starts() -> list[Comparison]:
    def start(name: str, title: str, what: str, seconds: float) -> Comparison:
        return Comparison(
            name,
            title,
            (Contender("imgcls", ("benchmarks.ours.start", what)),),
            figure="seconds",
            unit="s",
            targets=_targets(seconds, seconds, at_most=True),
        )

    mistakes = "`imgcls train` with a wrong config, until it has said all mistakes, median of five"
    step = "from the end of TensorFlow's import to the end of the first step on CIFAR-10"
    return [
        start("help", "`imgcls --help`, median of five", "help", 0.3),
        start("mistakes", mistakes, "mistakes", 1.0),
        start("first_step", step, "step", 4.0),
    ]


def _growth() -> list[Comparison]:
    def grown(name: str, *arguments: str) -> Contender:
        return Contender(name, ("benchmarks.ours.growth", *arguments))

    def scanned(files: int) -> Contender:
        return Contender(f"{files:,} files", ("benchmarks.ours.scan", "--files", str(files)))

    small = ("--images", "20000", "--classes")
    at_most = _targets(1.15, 1.15, at_most=True)

    def bounded(name: str, budgets: int) -> Contender:
        return Contender(name, ("benchmarks.ours.bounded", "--budgets", str(budgets)))

    files = (scanned(100_000), scanned(20_000))
    return [
        Comparison(
            "growth_images",
            "time an image of 60,000 images, against 1,000",
            (grown("60,000", "--images", "60000"), grown("1,000", "--images", "1000")),
            figure="seconds_per_image",
            unit="s",
            targets=at_most,
        ),
        Comparison(
            "growth_classes",
            "time an image with 1,000 classes, against 10",
            (grown("1,000", *small, "1000"), grown("10", *small, "10")),
            figure="seconds_per_image",
            unit="s",
            targets=at_most,
        ),
        Comparison(
            "scan_memory",
            "memory a path (its 192 bytes of pixels included) of 100,000 small files, "
            "against 20,000",
            files,
            figure="bytes_per_path",
            unit="bytes",
            targets=at_most,
        ),
        Comparison(
            "scan_time",
            "time a path of the same",
            files,
            figure="seconds_per_path",
            unit="s",
            targets=at_most,
        ),
        Comparison(
            "bounded",
            "peak memory of a training on ten times the pixels that may be kept in memory (64 MiB "
            "here), against on as many as may",
            (bounded("ten times", 10), bounded("as many", 1)),
            figure="peak_bytes",
            unit="bytes",
            targets=_targets(1.1, 1.1, at_most=True),
        ),
    ]


def _large() -> list[Comparison]:
    what = "`imgcls predict` of one image with configs/cifar10_upscaled.yaml, 50 million parameters"
    contenders = (Contender("imgcls", ("benchmarks.ours.predict_large",)),)

    def counted(name: str, title: str, figure: str, most: float) -> Comparison:
        targets = _targets(most, most, at_most=True)
        return Comparison(name, f"{what}: {title}", contenders, figure, "bytes", targets)

    read = "bytes read of the run's folder, whose weights are 201 million bytes"
    return [
        counted("predict_large", read, "bytes_read", 210e6),
        counted("predict_large_memory", "peak resident memory", "peak_bytes", 1.26e9),
    ]


COMPARISONS: tuple[Comparison, ...] = (
    *_tutorials(),
    *_eight_layers(),
    _photographs(),
    _memory(),
    *(_floor(config, chosen) for config, chosen in FLOOR_CONFIGS.items()),
    *_pieces(),
    *_starts(),
    *_growth(),
    *_large(),
)

"""Keys and names that people bring from tutorials, and what to write here instead: one table.

It is asked about unknown keys and unknown names only, so that a word may stand in it which another
section knows. What follows `write ` is YAML that a config may hold; a test reads it.
"""

_LAYER = "write augmentation: [{{{}}}]; it is a section of its own, beside layers"
_DATA_FITS = "the data decides what goes in; leave it out"
_SIZE = "write dataset: {size: [150, 150]}"
_SCALED = "images are 0 to 1 already; leave it out"
_STANDARDISED = "write layers: [Normalization]; its mean and variance are the training images'"
_PATH = "write dataset: {folder: photos/}"
_FILL = "write augmentation: [{RandomRotation: {degrees: 40, fill_mode: nearest}}]"
_FACTORS = "augmentation is in degrees and shares here"
_ROTATION = "write augmentation: [{RandomRotation: {degrees: 40}}]"
_SHIFT = "write augmentation: [{RandomTranslation: {height: 0.1, width: 0.1}}]"
_SHEAR = "write augmentation: [{RandomShear: {x: 0.2}}]; a share here, degrees there"
_ZOOM = "write augmentation: [{RandomZoom: {height: 0.2}}]"
_FLIP = "write augmentation: [{{RandomFlip: {{mode: {}}}}}]"
_STOP = "write training: {early_stopping: {patience: 5}}"
_PLATEAU = "write training: {reduce_lr_on_plateau: {patience: 10}}"
_KEPT = (
    "checkpoints are always kept, the best one too, which evaluate and predict use; leave it out"
)
_THREADS = "the tool feeds the network by itself; leave it out"
_TWO = "write loss: categorical_crossentropy; two classes are two numbers here (units: classes)"
_CROSSENTROPY = "write loss: categorical_crossentropy"
_LOGITS = "a loss is always computed the stable way, from the logits; leave it out"
_EMA = "write training: {ema: {decay: 0.99}}"
_EPOCHS = "lengths are in epochs here: {}"
_ALWAYS = "loss and accuracy are always reported; leave it out"

TUTORIAL_NAMES: dict[str, str] = {
    # Optimizers and schedules.
    "lr": "lr is now learning_rate",
    "decay": "decay is now a schedule in the place of learning_rate, or weight_decay",
    "decay_steps": _EPOCHS.format("decay_epochs"),
    "warmup_steps": _EPOCHS.format("warmup_epochs"),
    "warmup_target": "initial_learning_rate is where the warm-up ends, warmup_from where it starts",
    "use_ema": _EMA,
    "ema_momentum": _EMA,
    "ema_overwrite_frequency": _EMA,
    "loss_scale_factor": "training.precision: float16 scales the loss by itself; leave it out",
    "gradient_accumulation_steps": "write training: {batch_size: 256}; batches are not accumulated",
    "name": "layers and optimizers have no names of their own here; leave it out",
    # Layers.
    "input_shape": _DATA_FITS,
    "batch_input_shape": _DATA_FITS,
    "batch_shape": _DATA_FITS,
    "input_dim": _DATA_FITS,
    "input_tensor": _DATA_FITS,
    "Input": _DATA_FITS,
    "input": _DATA_FITS,
    "InputLayer": _DATA_FITS,
    "data_format": "images are always [height, width, channel]; leave it out",
    "dtype": "write training: {precision: auto}; it is one for the whole network",
    "dropout": "write layers: [{Dropout: {rate: 0.5}}]; it is a layer of its own",
    # Data sets: keras.utils.image_dataset_from_directory and ImageDataGenerator.
    "directory": _PATH,
    "data_dir": _PATH,
    "train_dir": _PATH,
    "validation_dir": "write dataset: {folder: photos/, validation: more/}",
    "test_dir": "write dataset: {folder: photos/, test: more/}",
    "target_size": _SIZE,
    "image_size": _SIZE,
    "img_size": _SIZE,
    "color_mode": "write dataset: {channels: 1}; 3 for colour",
    "class_mode": "the loss decides how labels are encoded; leave it out",
    "label_mode": "the loss decides how labels are encoded; leave it out",
    "num_classes": "the data decides how many classes there are; the last layer has units: classes",
    "class_names": "the data names its classes; where it does not, dataset.classes does",
    "validation_split": "write dataset: {validation: 0.1}",
    "validation_data": "write dataset: {validation: 0.1}; or a folder of its own",
    "shuffle": "training images are always shuffled, others never; leave it out",
    "interpolation": "images are always enlarged and shrunk bilinearly; leave it out",
    "crop_to_aspect_ratio": "write dataset: {resize: crop}",
    "pad_to_aspect_ratio": "write dataset: {resize: pad}",
    "rescale": _SCALED,
    "preprocessing_function": f"{_SCALED}, or write layers: [Normalization]",
    "featurewise_center": _STANDARDISED,
    "featurewise_std_normalization": _STANDARDISED,
    "samplewise_center": _STANDARDISED,
    "samplewise_std_normalization": _STANDARDISED,
    "zca_whitening": _STANDARDISED,
    "zca_epsilon": _STANDARDISED,
    # Augmentation: ImageDataGenerator's keys, and those of Keras' random layers.
    "rotation_range": _ROTATION,
    "width_shift_range": _SHIFT,
    "height_shift_range": _SHIFT,
    "shear_range": _SHEAR,
    "zoom_range": _ZOOM,
    "horizontal_flip": _FLIP.format("horizontal"),
    "vertical_flip": _FLIP.format("vertical"),
    "brightness_range": "write augmentation: [{RandomBrightness: {factor: 0.2}}]",
    "channel_shift_range": "write augmentation: [{RandomHue: {factor: 0.1}}]",
    "fill_mode": _FILL,
    "cval": "write augmentation: [{RandomRotation: {degrees: 40, fill_mode: constant}}]",
    "factor": f"{_FACTORS}: degrees of a RandomRotation, height and width of the others",
    "height_factor": f"{_FACTORS}: height",
    "width_factor": f"{_FACTORS}: width",
    "x_factor": f"{_FACTORS}: x",
    "y_factor": f"{_FACTORS}: y",
    "value_range": _SCALED,
    "seed": "write seed: 0; one seed at the top decides the whole run",
    "RandomFlip": _LAYER.format("RandomFlip: {mode: horizontal}"),
    "RandomRotation": _LAYER.format("RandomRotation: {degrees: 40}"),
    "RandomTranslation": _LAYER.format("RandomTranslation: {height: 0.1, width: 0.1}"),
    "RandomZoom": _LAYER.format("RandomZoom: {height: 0.2}"),
    "RandomShear": _LAYER.format("RandomShear: {x: 0.2}"),
    "RandomCrop": _LAYER.format("RandomCrop: {padding: 4}"),
    "RandomBrightness": _LAYER.format("RandomBrightness: {factor: 0.2}"),
    "RandomContrast": _LAYER.format("RandomContrast: {factor: 0.2}"),
    # Losses.
    "binary_crossentropy": _TWO,
    "BinaryCrossentropy": _TWO,
    "binary_focal_crossentropy": "write loss: categorical_focal_crossentropy",
    "bce": _TWO,
    "cross_entropy": _CROSSENTROPY,
    "crossentropy": _CROSSENTROPY,
    "CrossEntropyLoss": _CROSSENTROPY,
    "label_smoothing": "write loss: {categorical_crossentropy: {label_smoothing: 0.1}}",
    "from_logits": _LOGITS,
    "reduction": "the loss is always the mean over the images of a batch; leave it out",
    # Training: the arguments of compile, fit and their callbacks.
    "metrics": _ALWAYS,
    "weighted_metrics": _ALWAYS,
    "epochs": "write training: {epochs: 10}",
    "batch_size": "write training: {batch_size: 32}",
    "steps_per_epoch": "write training: {steps_per_epoch: 100}",
    "class_weight": "write training: {class_weight: auto}",
    "validation_steps": "evaluation always sees every image; dataset.subset makes a quick try",
    "validation_batch_size": "the batch size changes no result of an evaluation; leave it out",
    "validation_freq": "write training: {evaluate_every: 2}",
    "initial_epoch": "imgcls train --resume RUN goes on where a run stopped; leave it out",
    "callbacks": f"{_STOP}; checkpoints are kept without being asked for",
    "EarlyStopping": _STOP,
    "early_stopping": _STOP,
    "ReduceLROnPlateau": _PLATEAU,
    "reduce_lr_on_plateau": _PLATEAU,
    "LearningRateScheduler": "a schedule may stand in the place of learning_rate",
    "ModelCheckpoint": _KEPT,
    "restore_best_weights": _KEPT,
    "save_best_only": _KEPT,
    "mode": "which way each metric improves is known; leave it out",
    "verbose": "it is a matter of the command line, not of the run; leave it out",
    "workers": _THREADS,
    "num_workers": _THREADS,
    "use_multiprocessing": _THREADS,
    "max_queue_size": _THREADS,
    "prefetch": _THREADS,
    "jit_compile": "write training: {xla: true}",
    "mixed_precision": "write training: {precision: bfloat16}",
    "steps_per_execution": "the tool chooses it, and no result depends on it; leave it out",
}

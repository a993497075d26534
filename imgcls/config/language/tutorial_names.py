"""Keys and names from tutorials of Keras and others, and what to write instead.

The table is used for unknown keys and names only, so it may have names that are valid in another
section. YAML after `write ` must be valid; a test reads it. Each text continues a message such as
`unknown key; ...`.
"""

_LAYER = "write augmentation: [{{{}}}]; a separate section, next to layers"
_DATA_FITS = "the input shape comes from the data; leave it out"
_SIZE = "write dataset: {size: [150, 150]}"
_SCALED = "images are in 0..1 already; leave it out"
_STANDARDIZED = (
    "write layers: [Normalization]; it uses the mean and variance of the training images"
)
_PATH = "write dataset: {folder: photos/}"
_FILL = "write augmentation: [{RandomRotation: {degrees: 40, fill_mode: nearest}}]"
_FACTORS = "augmentations use degrees and fractions"
_ROTATION = "write augmentation: [{RandomRotation: {degrees: 40}}]"
_SHIFT = "write augmentation: [{RandomTranslation: {height: 0.1, width: 0.1}}]"
_SHEAR = "write augmentation: [{RandomShear: {x: 0.2}}]; a fraction instead of degrees"
_ZOOM = "write augmentation: [{RandomZoom: {height: 0.2}}]"
_FLIP = "write augmentation: [{{RandomFlip: {{mode: {}}}}}]"
_STOP = "write training: {early_stopping: {patience: 5}}"
_PLATEAU = "write training: {reduce_lr_on_plateau: {patience: 10}}"
_KEPT = "the best checkpoint is always kept, and evaluate and predict use it; leave it out"
_THREADS = "the input pipeline is tuned automatically; leave it out"
_TWO = "write loss: categorical_crossentropy; two classes have two outputs (units: classes)"
_CROSSENTROPY = "write loss: categorical_crossentropy"
_LOGITS = "losses are always computed from logits; leave it out"
_EMA = "write training: {average: {EMA: {decay: 0.99}}}"
_EPOCHS = "lengths are in epochs; use {}"
_ALWAYS = "loss and accuracy are always reported; leave it out"

TUTORIAL_NAMES: dict[str, str] = {
    # Optimizers and schedules.
    "lr": "use learning_rate",
    "decay": "use a schedule as learning_rate, or weight_decay",
    "decay_steps": _EPOCHS.format("decay_epochs"),
    "warmup_steps": _EPOCHS.format("warmup_epochs"),
    "warmup_target": "the warmup goes from warmup_from to initial_learning_rate",
    "use_ema": _EMA,
    "ema_momentum": _EMA,
    "ema_overwrite_frequency": _EMA,
    "loss_scale_factor": "training.precision: float16 scales the loss automatically; leave it out",
    "gradient_accumulation_steps": "write training: {batch_size: 256}; not supported",
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
    "dtype": "write training: {precision: auto}; it applies to the whole network",
    "dropout": "write layers: [{Dropout: {rate: 0.5}}]; it is a separate layer",
    # Data sets: keras.utils.image_dataset_from_directory and ImageDataGenerator.
    "directory": _PATH,
    "data_dir": _PATH,
    "train_dir": _PATH,
    "validation_dir": "write dataset: {folder: photos/, validation: more/}",
    "test_dir": "write dataset: {folder: photos/, test: more/}",
    "target_size": _SIZE,
    "image_size": _SIZE,
    "img_size": _SIZE,
    "color_mode": "write dataset: {channels: 1}; 3 for RGB",
    "class_mode": "the loss determines the encoding of the labels; leave it out",
    "label_mode": "the loss determines the encoding of the labels; leave it out",
    "num_classes": "the number of classes comes from the data; give the last layer units: classes",
    "class_names": "use classes; by default the names come from the data",
    "validation_split": "write dataset: {validation: 0.1}",
    "validation_data": "write dataset: {validation: 0.1}; or the path of a folder",
    "shuffle": "training images are always shuffled, other images never; leave it out",
    "interpolation": "images are always resized bilinearly; leave it out",
    "crop_to_aspect_ratio": "write dataset: {resize: crop}",
    "pad_to_aspect_ratio": "write dataset: {resize: pad}",
    "rescale": _SCALED,
    "preprocessing_function": f"{_SCALED}, or write layers: [Normalization]",
    "featurewise_center": _STANDARDIZED,
    "featurewise_std_normalization": _STANDARDIZED,
    "samplewise_center": _STANDARDIZED,
    "samplewise_std_normalization": _STANDARDIZED,
    "zca_whitening": _STANDARDIZED,
    "zca_epsilon": _STANDARDIZED,
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
    "factor": f"{_FACTORS}: RandomRotation has degrees, the others height and width",
    "height_factor": f"{_FACTORS}; use height",
    "width_factor": f"{_FACTORS}; use width",
    "x_factor": f"{_FACTORS}; use x",
    "y_factor": f"{_FACTORS}; use y",
    "value_range": _SCALED,
    "seed": "write seed: 0; one top-level seed applies to the whole run",
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
    "reduction": "the loss is always the mean over the batch; leave it out",
    # Training: the arguments of compile, fit and their callbacks.
    "metrics": _ALWAYS,
    "weighted_metrics": _ALWAYS,
    "epochs": "write training: {epochs: 10}",
    "batch_size": "write training: {batch_size: 32}",
    "steps_per_epoch": "write training: {steps_per_epoch: 100}",
    "class_weight": "write training: {class_weight: auto}",
    "validation_steps": "evaluation always uses every image; for a quick run, set dataset.subset",
    "validation_batch_size": "evaluation does not depend on the batch size; leave it out",
    "validation_freq": "write training: {evaluate_every: 2}",
    "initial_epoch": "resume with imgcls train --resume RUN; leave it out",
    "callbacks": f"{_STOP}; checkpoints are always kept",
    "EarlyStopping": _STOP,
    "early_stopping": _STOP,
    "ReduceLROnPlateau": _PLATEAU,
    "reduce_lr_on_plateau": _PLATEAU,
    "LearningRateScheduler": "use a schedule as learning_rate",
    "ModelCheckpoint": _KEPT,
    "restore_best_weights": _KEPT,
    "save_best_only": _KEPT,
    "mode": "it follows from the metric; leave it out",
    "verbose": "progress is always reported; leave it out",
    "workers": _THREADS,
    "num_workers": _THREADS,
    "use_multiprocessing": _THREADS,
    "max_queue_size": _THREADS,
    "prefetch": _THREADS,
    "jit_compile": "write training: {xla: true}",
    "mixed_precision": "write training: {precision: bfloat16}",
    "steps_per_execution": "it is chosen automatically and changes no result; leave it out",
}

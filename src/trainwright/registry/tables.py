"""Every component that ships: `kind -> name -> "module:attribute"`, resolved only when it is used.

A component is a plain class or function. Its parameters named in `POSITIONAL[kind]` are filled by
the tool; all its other parameters belong to the recipe. To add one: write the module, add a line.
"""

from __future__ import annotations

POSITIONAL: dict[str, tuple[str, ...]] = {
    "task": ("targets", "model", "data"),
    "source": ("data",),
    "processor": (),
    "augment": (),
    "sampler": ("rows", "labels"),
    "model": (
        "inputs",  # dict[str, TensorSpec]
        "num_outputs",
        "num_classes",  # the same number, under the name that image models use
        "in_channels",
        "image_size",  # (H, W)
        "in_features",
        "sequence_length",
        "vocabulary_size",
    ),
    "encoder": (
        "inputs",
        "spec",  # TensorSpec of the one input
        "num_outputs",
        "num_classes",
        "in_channels",
        "image_size",
        "in_features",
        "sequence_length",
        "vocabulary_size",
    ),
    "aggregator": ("sizes",),
    "initializer": ("tensor",),
    "regularizer": ("tensor",),
    "constraint": ("tensor",),
    "layer": ("shape",),
    "loss": ("output", "target", "class_weights"),
    "metric": ("output", "target", "classes"),
    "optimizer": ("params",),
    "schedule": ("total_steps", "steps_per_epoch"),
}
"""Kind -> names of the parameters that the tool fills, by name. No recipe can set these."""

TABLES: dict[str, dict[str, str]] = {
    "task": {
        "supervised": "trainwright.tasks.supervised:SupervisedTask",
        "adversarial": "trainwright.tasks.adversarial:AdversarialTask",
    },
    "source": {
        "digits": "trainwright.data.sources.digits:DigitsSource",
        "iris": "trainwright.data.sources.iris:IrisSource",
        "idx": "trainwright.data.sources.idx:IdxSource",
        "folder": "trainwright.data.sources.folder:FolderSource",
        "table": "trainwright.data.sources.table:TableSource",
        "arrays": "trainwright.data.sources.arrays:ArraysSource",
        "dataset": "trainwright.data.sources.dataset:DatasetSource",
    },
    "processor": {
        "image": "trainwright.data.processors.image:ImageProcessor",
        "number": "trainwright.data.processors.number:NumberProcessor",
        "category": "trainwright.data.processors.category:CategoryProcessor",
    },
    "augment": {
        "random_crop": "trainwright.data.augment.random_crop:RandomCrop",
        "flip": "trainwright.data.augment.flip:Flip",
        "resized_crop": "trainwright.data.augment.resized_crop:ResizedCrop",
    },
    "sampler": {
        "shuffle": "trainwright.data.samplers.shuffle:Shuffle",
        "sequential": "trainwright.data.samplers.sequential:Sequential",
    },
    "model": {
        "mlp": "trainwright.models.mlp:mlp",
        "cnn": "trainwright.models.cnn:cnn",
        "resnet_cifar": "trainwright.models.resnet_cifar:resnet_cifar",
        "layers": "trainwright.models.layers:layers",
        "compose": "trainwright.models.compose:compose",
    },
    "encoder": {
        "mlp": "trainwright.models.encoders.mlp:mlp",
        "cnn": "trainwright.models.encoders.cnn:cnn",
        "embedding": "trainwright.models.encoders.embedding:embedding",
    },
    "aggregator": {
        "concat": "trainwright.models.aggregators.concat:concat",
        "sum": "trainwright.models.aggregators.sum:sum",
        "mean": "trainwright.models.aggregators.mean:mean",
    },
    "initializer": {},
    "regularizer": {},
    "constraint": {},
    "layer": {},
    "loss": {
        "cross_entropy": "trainwright.losses.cross_entropy:cross_entropy",
        "focal": "trainwright.losses.focal:focal",
        "bce": "trainwright.losses.bce:bce",
        "mse": "trainwright.losses.mse:mse",
        "mae": "trainwright.losses.mae:mae",
        "huber": "trainwright.losses.huber:huber",
        "log_cosh": "trainwright.losses.log_cosh:log_cosh",
        "poisson": "trainwright.losses.poisson:poisson",
        "hinge": "trainwright.losses.hinge:hinge",
        "kl": "trainwright.losses.kl:kl",
        "cosine": "trainwright.losses.cosine:cosine",
    },
    "metric": {
        "accuracy": "trainwright.metrics.accuracy:accuracy",
        "top_k_accuracy": "trainwright.metrics.top_k_accuracy:top_k_accuracy",
        "f1": "trainwright.metrics.f1:f1",
        "precision": "trainwright.metrics.precision:precision",
        "recall": "trainwright.metrics.recall:recall",
        "auroc": "trainwright.metrics.auroc:auroc",
        "average_precision": "trainwright.metrics.average_precision:average_precision",
        "calibration_error": "trainwright.metrics.calibration_error:calibration_error",
        "confusion_matrix": "trainwright.metrics.confusion_matrix:confusion_matrix",
        "mse": "trainwright.metrics.mse:mse",
        "mae": "trainwright.metrics.mae:mae",
        "rmse": "trainwright.metrics.rmse:rmse",
        "r2": "trainwright.metrics.r2:r2",
    },
    "optimizer": {
        "adamw": "trainwright.engine.optimizers.adamw:adamw",
        "adam": "trainwright.engine.optimizers.adam:adam",
        "sgd": "trainwright.engine.optimizers.sgd:sgd",
        "rmsprop": "trainwright.engine.optimizers.rmsprop:rmsprop",
        "adagrad": "trainwright.engine.optimizers.adagrad:adagrad",
        "adadelta": "trainwright.engine.optimizers.adadelta:adadelta",
        "adamax": "trainwright.engine.optimizers.adamax:adamax",
        "nadam": "trainwright.engine.optimizers.nadam:nadam",
        "ftrl": "trainwright.engine.optimizers.ftrl:ftrl",
    },
    "schedule": {
        "constant": "trainwright.engine.schedules.constant:Constant",
        "step": "trainwright.engine.schedules.step:Step",
        "cosine": "trainwright.engine.schedules.cosine:Cosine",
        "one_cycle": "trainwright.engine.schedules.one_cycle:OneCycle",
        "polynomial": "trainwright.engine.schedules.polynomial:Polynomial",
        "exponential": "trainwright.engine.schedules.exponential:Exponential",
        "plateau": "trainwright.engine.schedules.plateau:Plateau",
    },
}
"""Kind -> name in a recipe -> where it lives."""

FOREIGN: dict[str, str] = {
    "model": "trainwright.models.timm_model:timm_model",
    "encoder": "trainwright.models.timm_model:timm_encoder",
}
"""Kind -> adapter for every timm name; the name is given to it as `architecture`."""

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
    "sampler": (
        "rows",  # int64 [N], of the training split
        "labels",  # class of every row of the source, int64 [n], by category target
        "class_names",  # in the order of their ids, by category target
        "columns",  # raw values of every row of the source [n], of the one that its `column` names
        "batch_size",
    ),
    "model": (
        "inputs",  # dict[str, TensorSpec]
        "num_outputs",
        "num_classes",  # the same number, under the name that image models use
        "in_channels",  # where there is exactly one image
        "image_size",  # (height, width), likewise
        "in_features",  # where all inputs are numbers
        "targets",  # dict[str, TensorSpec]
        "losses",  # target -> the recipe's loss, None where it names none
        "class_weights",  # target -> weight of every class [C], or None
    ),
    "backbone": ("in_channels", "image_size"),
    "neck": ("channels", "strides"),
    "head": ("target", "channels", "strides", "image_size", "loss", "class_weights"),
    "encoder": ("inputs", "num_outputs", "num_classes", "in_channels", "image_size", "in_features"),
    "aggregator": ("sizes",),
    "initializer": ("tensor",),
    "regularizer": ("tensor",),
    "constraint": ("tensor",),
    "layer": (
        "in_shape",  # without the batch axis, of the only input
        "in_shapes",  # of all inputs
        "in_channels",
        "in_features",
        "num_outputs",  # width that the targets need
        "num_categories",  # classes of the category column that it reads
    ),
    "loss": ("output", "target", "class_weights", "spec"),  # spec: of the target column
    "metric": ("output", "target", "classes", "spec"),  # classes: names, None where there are none
    "optimizer": ("params",),
    "schedule": ("total_steps", "steps_per_epoch"),
    "search": ("space", "directions", "seed"),
}
"""Kind -> names of the parameters that the tool fills, by name. No recipe can set these."""

TABLES: dict[str, dict[str, str]] = {
    "task": {
        "supervised": "trainwright.tasks.supervised.task:SupervisedTask",
        "adversarial": "trainwright.tasks.adversarial:AdversarialTask",
    },
    "source": {
        "digits": "trainwright.data.sources.digits:DigitsSource",
        "iris": "trainwright.data.sources.iris:IrisSource",
        "idx": "trainwright.data.sources.idx:IdxSource",
        "folder": "trainwright.data.sources.folder:FolderSource",
        "table": "trainwright.data.sources.table:TableSource",
        "pictures": "trainwright.data.sources.pictures:PicturesSource",
        "webdataset": "trainwright.data.sources.webdataset:WebDatasetSource",
        "arrays": "trainwright.data.sources.arrays:ArraysSource",
        "dataset": "trainwright.data.sources.dataset:DatasetSource",
        "huggingface": "trainwright.data.sources.huggingface:HuggingFaceSource",
        "coco": "trainwright.data.sources.coco:CocoSource",
        "voc": "trainwright.data.sources.voc:VocSource",
        "yolo": "trainwright.data.sources.yolo:YoloSource",
        "kitti": "trainwright.data.sources.kitti:KittiSource",
        "landmarks": "trainwright.data.sources.landmarks:LandmarksSource",
        "object_table": "trainwright.data.sources.object_table:ObjectTableSource",
        "masks": "trainwright.data.sources.masks:MasksSource",
        "paired": "trainwright.data.sources.paired:PairedSource",
        "degraded": "trainwright.data.sources.degraded:DegradedSource",
        "coco_panoptic": "trainwright.data.sources.coco_panoptic:CocoPanopticSource",
        "coco_captions": "trainwright.data.sources.coco_captions:CocoCaptionsSource",
        "image_text": "trainwright.data.sources.image_text:ImageTextSource",
        "files": "trainwright.data.sources.files:FilesSource",
        "ucr": "trainwright.data.sources.ucr:UcrSource",
        "wfdb": "trainwright.data.sources.wfdb:WfdbSource",
        "series": "trainwright.data.sources.series:SeriesSource",
    },
    "processor": {
        "image": "trainwright.data.processors.image:ImageProcessor",
        "number": "trainwright.data.processors.number:NumberProcessor",
        "category": "trainwright.data.processors.category:CategoryProcessor",
        "text": "trainwright.data.processors.text:TextProcessor",
        "categories": "trainwright.data.processors.categories:CategoriesProcessor",
        "distribution": "trainwright.data.processors.distribution:DistributionProcessor",
        "boxes": "trainwright.data.processors.boxes:BoxesProcessor",
        "instances": "trainwright.data.processors.instances:InstancesProcessor",
        "mask": "trainwright.data.processors.mask:MaskProcessor",
        "keypoints": "trainwright.data.processors.keypoints:KeypointsProcessor",
        "series": "trainwright.data.processors.series:SeriesProcessor",
        "audio": "trainwright.data.processors.audio:AudioProcessor",
        "video": "trainwright.data.processors.video:VideoProcessor",
    },
    "augment": {
        "random_crop": "trainwright.data.augment.random_crop:RandomCrop",
        "flip": "trainwright.data.augment.flip:Flip",
        "resized_crop": "trainwright.data.augment.resized_crop:ResizedCrop",
        "affine": "trainwright.data.augment.affine:Affine",
        "rotation": "trainwright.data.augment.rotation:Rotation",
        "perspective": "trainwright.data.augment.perspective:Perspective",
        "colour_jitter": "trainwright.data.augment.colour_jitter:ColourJitter",
        "grayscale": "trainwright.data.augment.grayscale:Grayscale",
        "blur": "trainwright.data.augment.blur:Blur",
        "noise": "trainwright.data.augment.noise:Noise",
        "erasing": "trainwright.data.augment.erasing:Erasing",
        "cutout": "trainwright.data.augment.cutout:Cutout",
        "mixup": "trainwright.data.augment.mixup:Mixup",
        "cutmix": "trainwright.data.augment.cutmix:Cutmix",
        "mosaic": "trainwright.data.augment.mosaic:Mosaic",
        "trivial_augment": "trainwright.data.augment.trivial_augment:TrivialAugment",
        "rand_augment": "trainwright.data.augment.rand_augment:RandAugment",
        "jitter": "trainwright.data.augment.jitter:Jitter",
        "amplitude": "trainwright.data.augment.amplitude:Amplitude",
        "time_shift": "trainwright.data.augment.time_shift:TimeShift",
        "time_mask": "trainwright.data.augment.time_mask:TimeMask",
        "frequency_mask": "trainwright.data.augment.frequency_mask:FrequencyMask",
    },
    "sampler": {
        "shuffle": "trainwright.data.samplers.shuffle:Shuffle",
        "sequential": "trainwright.data.samplers.sequential:Sequential",
        "stratified": "trainwright.data.samplers.stratified:Stratified",
        "class_balanced": "trainwright.data.samplers.class_balanced:ClassBalanced",
        "weighted": "trainwright.data.samplers.weighted:Weighted",
        "by_size": "trainwright.data.samplers.by_size:BySize",
        "with_replacement": "trainwright.data.samplers.with_replacement:WithReplacement",
    },
    "model": {
        "mlp": "trainwright.models.mlp:mlp",
        "cnn": "trainwright.models.cnn:cnn",
        "resnet_cifar": "trainwright.models.resnet_cifar:resnet_cifar",
        "layers": "trainwright.models.layers:layers",
        "compose": "trainwright.models.compose:compose",
        "adversary": "trainwright.models.adversary:adversary",
        "pyramid": "trainwright.models.pyramid:pyramid",
    },
    "backbone": {
        "small": "trainwright.models.backbones.small:small",
    },
    "neck": {
        "fpn": "trainwright.models.necks.fpn:fpn",
        "pan": "trainwright.models.necks.pan:pan",
        "plain": "trainwright.models.necks.plain:Plain",
    },
    "head": {
        "linear": "trainwright.models.heads.linear:Linear",
        "fcos": "trainwright.models.heads.fcos:Fcos",
        "dense": "trainwright.models.heads.dense:Dense",
        "heatmaps": "trainwright.models.heads.heatmaps:Heatmaps",
        "point_regression": "trainwright.models.heads.point_regression:PointRegression",
    },
    "encoder": {
        "mlp": "trainwright.models.mlp:mlp",
        "cnn": "trainwright.models.cnn:cnn",
        "resnet_cifar": "trainwright.models.resnet_cifar:resnet_cifar",
        "layers": "trainwright.models.layers:layers",
        "embedding": "trainwright.models.embedding:embedding",
    },
    "aggregator": {
        "concat": "trainwright.models.aggregators:Concat",
        "sum": "trainwright.models.aggregators:Sum",
        "mean": "trainwright.models.aggregators:Mean",
    },
    "initializer": {
        "glorot_uniform": "trainwright.models.initializers:glorot_uniform",
        "glorot_normal": "trainwright.models.initializers:glorot_normal",
        "he_uniform": "trainwright.models.initializers:he_uniform",
        "he_normal": "trainwright.models.initializers:he_normal",
        "lecun_uniform": "trainwright.models.initializers:lecun_uniform",
        "lecun_normal": "trainwright.models.initializers:lecun_normal",
        "orthogonal": "trainwright.models.initializers:orthogonal",
        "zeros": "trainwright.models.initializers:zeros",
        "ones": "trainwright.models.initializers:ones",
        "constant": "trainwright.models.initializers:constant",
        "uniform": "trainwright.models.initializers:uniform",
        "normal": "trainwright.models.initializers:normal",
        "truncated_normal": "trainwright.models.initializers:truncated_normal",
        "variance_scaling": "trainwright.models.initializers:variance_scaling",
    },
    "regularizer": {
        "l1": "trainwright.models.regularizers:l1",
        "l2": "trainwright.models.regularizers:l2",
        "l1_l2": "trainwright.models.regularizers:l1_l2",
    },
    "constraint": {
        "max_norm": "trainwright.models.constraints:max_norm",
        "unit_norm": "trainwright.models.constraints:unit_norm",
        "non_neg": "trainwright.models.constraints:non_neg",
        "min_max_norm": "trainwright.models.constraints:min_max_norm",
    },
    "layer": {
        "conv": "trainwright.models.graph.convolution:conv",
        "conv_transpose": "trainwright.models.graph.convolution:conv_transpose",
        "max_pool": "trainwright.models.graph.pooling:max_pool",
        "avg_pool": "trainwright.models.graph.pooling:avg_pool",
        "global_avg_pool": "trainwright.models.graph.pooling:global_avg_pool",
        "global_max_pool": "trainwright.models.graph.pooling:global_max_pool",
        "dense": "trainwright.models.graph.dense:dense",
        "embedding": "trainwright.models.graph.dense:embedding",
        "one_hot": "trainwright.models.graph.dense:one_hot",
        "batch_norm": "trainwright.models.graph.normalization:batch_norm",
        "layer_norm": "trainwright.models.graph.normalization:layer_norm",
        "group_norm": "trainwright.models.graph.normalization:group_norm",
        "flatten": "trainwright.models.graph.shaping:flatten",
        "reshape": "trainwright.models.graph.shaping:reshape",
        "permute": "trainwright.models.graph.shaping:permute",
        "upsample": "trainwright.models.graph.shaping:upsample",
        "zero_pad": "trainwright.models.graph.shaping:zero_pad",
        "add": "trainwright.models.graph.merging:add",
        "subtract": "trainwright.models.graph.merging:subtract",
        "multiply": "trainwright.models.graph.merging:multiply",
        "maximum": "trainwright.models.graph.merging:maximum",
        "minimum": "trainwright.models.graph.merging:minimum",
        "mean": "trainwright.models.graph.merging:mean",
        "concat": "trainwright.models.graph.merging:concat",
        "lstm": "trainwright.models.graph.recurrent:lstm",
        "gru": "trainwright.models.graph.recurrent:gru",
        "activation": "trainwright.models.graph.regularizing:activation",
        "dropout": "trainwright.models.graph.regularizing:dropout",
        "spatial_dropout": "trainwright.models.graph.regularizing:spatial_dropout",
        "gaussian_noise": "trainwright.models.graph.regularizing:gaussian_noise",
        "residual": "trainwright.models.graph.residual:residual",
    },
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
        "quantile": "trainwright.losses.quantile:quantile",
        "crps": "trainwright.losses.crps:crps",
        "expected_value": "trainwright.losses.expected_value:expected_value",
        "dice": "trainwright.losses.dice:dice",
        "tversky": "trainwright.losses.tversky:tversky",
        "lovasz": "trainwright.losses.lovasz:lovasz",
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
        "binary_accuracy": "trainwright.metrics.binary_accuracy:binary_accuracy",
        "exact_match": "trainwright.metrics.exact_match:exact_match",
        "confusion_matrix": "trainwright.metrics.confusion_matrix:confusion_matrix",
        "map": "trainwright.metrics.map:map",
        "mse": "trainwright.metrics.mse:mse",
        "mae": "trainwright.metrics.mae:mae",
        "rmse": "trainwright.metrics.rmse:rmse",
        "r2": "trainwright.metrics.r2:r2",
        "tpr_at_fpr": "trainwright.metrics.tpr_at_fpr:tpr_at_fpr",
        "fpr_at_tpr": "trainwright.metrics.fpr_at_tpr:fpr_at_tpr",
        "redshift": "trainwright.metrics.redshift:redshift",
        "crps": "trainwright.metrics.crps:crps",
        "pit": "trainwright.metrics.pit:pit",
        "miou": "trainwright.metrics.miou:miou",
        "dice": "trainwright.metrics.dice:dice",
        "pixel_accuracy": "trainwright.metrics.pixel_accuracy:pixel_accuracy",
        "boundary_f": "trainwright.metrics.boundary_f:boundary_f",
        "pck": "trainwright.metrics.pck:pck",
        "nme": "trainwright.metrics.nme:nme",
        "keypoint_map": "trainwright.metrics.keypoint_map:keypoint_map",
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
    "search": {
        "grid": "trainwright.tune.search.grid:Grid",
        "random": "trainwright.tune.search.random:Random",
        "tpe": "trainwright.tune.search.tpe:Tpe",
        "gp": "trainwright.tune.search.gp:Gp",
        "cmaes": "trainwright.tune.search.cmaes:Cmaes",
        "nsga2": "trainwright.tune.search.nsga2:Nsga2",
    },
}
"""Kind -> name in a recipe -> where it lives."""

AUGMENTED: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("jitter", "amplitude", "time_shift", "time_mask"), ("series", "audio")),
    "frequency_mask": ("audio",),
}
"""Augmentation -> types of input that it acts on, where these are not images."""

FOREIGN: dict[str, str] = {
    "model": "trainwright.models.timm_model:timm_model",
    "encoder": "trainwright.models.timm_model:timm_model",
    "backbone": "trainwright.models.backbones.timm_maps:timm_maps",
}
"""Kind -> adapter for every timm name; the name is given to it as `architecture`."""

"""Every public class of a Keras, as it serializes itself: golden/objects/WRITER.json.

    python golden/make/objects.py keras-3.15.1 golden/objects/keras-3.15.1.json
    python golden/make/objects.py tfkeras-2.21.0 golden/objects/tfkeras-2.21.0.json

One entry per object: "input" is the record with the constructor's arguments alone, "output" what Keras writes of the
object that they make; a class that could not be made has "class" alone. Records of Keras 2 have no module, so that all
of its entries have "class". Each class has one entry with the arguments it requires and one with every argument that
could be moved away from its default.
"""

import inspect
import json
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

MODULES = [
    "layers",
    "optimizers",
    "optimizers.schedules",
    "losses",
    "metrics",
    "initializers",
    "regularizers",
    "constraints",
    "dtype_policies",
]
TF_MODULES = [m for m in MODULES if m != "dtype_policies"] + ["mixed_precision"]

# Arguments without which a class cannot be made, or not to a purpose.
REQUIRED = {
    "Activation": {"activation": "relu"},
    "AdaptiveAveragePooling1D": {"output_size": 3},
    "AdaptiveAveragePooling2D": {"output_size": 3},
    "AdaptiveAveragePooling3D": {"output_size": 3},
    "AdaptiveMaxPooling1D": {"output_size": 3},
    "AdaptiveMaxPooling2D": {"output_size": 3},
    "AdaptiveMaxPooling3D": {"output_size": 3},
    "CategoryEncoding": {"num_tokens": 7},
    "CenterCrop": {"height": 5, "width": 6},
    "Conv": {"filters": 3, "kernel_size": 2, "rank": 1},
    "Conv1D": {"filters": 3, "kernel_size": 2},
    "Conv2D": {"filters": 3, "kernel_size": 2},
    "Conv3D": {"filters": 3, "kernel_size": 2},
    "Conv1DTranspose": {"filters": 3, "kernel_size": 2},
    "Conv2DTranspose": {"filters": 3, "kernel_size": 2},
    "Conv3DTranspose": {"filters": 3, "kernel_size": 2},
    "ConvLSTM1D": {"filters": 3, "kernel_size": 2},
    "ConvLSTM2D": {"filters": 3, "kernel_size": 2},
    "ConvLSTM3D": {"filters": 3, "kernel_size": 2},
    "DepthwiseConv1D": {"kernel_size": 2},
    "DepthwiseConv2D": {"kernel_size": 2},
    "SeparableConv1D": {"filters": 3, "kernel_size": 2},
    "SeparableConv2D": {"filters": 3, "kernel_size": 2},
    "LocallyConnected1D": {"filters": 3, "kernel_size": 2},
    "LocallyConnected2D": {"filters": 3, "kernel_size": 2},
    "CuDNNGRU": {"units": 3},
    "CuDNNLSTM": {"units": 3},
    "Dense": {"units": 3},
    "Discretization": {"bin_boundaries": [0.0, 1.5, 2.0]},
    "Dot": {"axes": 1},
    "Dropout": {"rate": 0.25},
    "AlphaDropout": {"rate": 0.25},
    "GaussianDropout": {"rate": 0.25},
    "SpatialDropout1D": {"rate": 0.25},
    "SpatialDropout2D": {"rate": 0.25},
    "SpatialDropout3D": {"rate": 0.25},
    "GaussianNoise": {"stddev": 0.25},
    "EinsumDense": {"equation": "abc,cd->abd", "output_shape": [None, 5]},
    "Embedding": {"input_dim": 9, "output_dim": 4},
    "GRU": {"units": 3},
    "GRUCell": {"units": 3},
    "LSTM": {"units": 3},
    "LSTMCell": {"units": 3},
    "SimpleRNN": {"units": 3},
    "SimpleRNNCell": {"units": 3},
    "GroupNormalization": {},
    "GroupQueryAttention": {"head_dim": 4, "num_query_heads": 4, "num_key_value_heads": 2},
    "MultiHeadAttention": {"num_heads": 2, "key_dim": 4},
    "HashedCrossing": {"num_bins": 8},
    "Hashing": {"num_bins": 8},
    "InputLayer": {"batch_shape": [None, 4]},
    "IntegerLookup": {"vocabulary": [3, 5, 7], "max_tokens": 9},
    "StringLookup": {"vocabulary": ["a", "b", "c"]},
    "TextVectorization": {"vocabulary": ["a", "b", "c"]},
    "MelSpectrogram": {},
    "Permute": {"dims": [2, 1]},
    "RandomCrop": {"height": 5, "width": 6, "seed": 4},
    "RandomBrightness": {"factor": 0.3},
    "RandomContrast": {"factor": 0.3},
    "RandomHeight": {"factor": 0.3},
    "RandomWidth": {"factor": 0.3},
    "RandomRotation": {"factor": 0.3},
    "RandomTranslation": {"height_factor": 0.3, "width_factor": 0.2},
    "RandomZoom": {"height_factor": 0.3},
    "RandomHue": {"factor": 0.3},
    "RandomPosterization": {"factor": 3},
    "RandomSharpness": {"factor": 0.3},
    "RandomSaturation": {"factor": 0.3},
    "RandomColorDegeneration": {"factor": 0.3},
    "RandomInvert": {"factor": 0.3},
    "RandomGamma": {"factor": 0.3},
    "Solarization": {},
    "AutoContrast": {},
    "AveragePooling1D": {"pool_size": 2},
    "AveragePooling2D": {"pool_size": 2},
    "AveragePooling3D": {"pool_size": 2},
    "MaxNumBoundingBoxes": {"max_number": 5},
    "ReversibleEmbedding": {"input_dim": 9, "output_dim": 4},
    "Optimizer": {"learning_rate": 0.5},
    "RepeatVector": {"n": 3},
    "Rescaling": {"scale": 0.5},
    "Reshape": {"target_shape": [2, -1]},
    "Resizing": {"height": 5, "width": 6},
    "STFTSpectrogram": {},
    "Cropping1D": {},
    "PolynomialDecay": {"initial_learning_rate": 0.1, "decay_steps": 50},
    "ExponentialDecay": {"initial_learning_rate": 0.1, "decay_steps": 50, "decay_rate": 0.9},
    "InverseTimeDecay": {"initial_learning_rate": 0.1, "decay_steps": 50, "decay_rate": 0.9},
    "PiecewiseConstantDecay": {"boundaries": [10, 20], "values": [0.1, 0.05, 0.01]},
    "CosineDecay": {"initial_learning_rate": 0.1, "decay_steps": 50},
    "CosineDecayRestarts": {"initial_learning_rate": 0.1, "first_decay_steps": 50},
    "MeanIoU": {"num_classes": 3},
    "IoU": {"num_classes": 3, "target_class_ids": [0, 2]},
    "BinaryIoU": {},
    "OneHotIoU": {"num_classes": 3, "target_class_ids": [0, 2]},
    "OneHotMeanIoU": {"num_classes": 3},
    "PrecisionAtRecall": {"recall": 0.6},
    "RecallAtPrecision": {"precision": 0.6},
    "SensitivityAtSpecificity": {"specificity": 0.6},
    "SpecificityAtSensitivity": {"sensitivity": 0.6},
    "MeanRelativeError": {"normalizer": [1.0, 2.0, 4.0]},
    "CategoricalGeneralizedCrossEntropy": {},
    "DTypePolicy": {"name": "mixed_float16"},
    "FloatDTypePolicy": {"name": "bfloat16"},
    "Policy": {"name": "mixed_float16"},
    "QuantizedDTypePolicy": {"mode": "int8", "source_name": "float32"},
    "QuantizedFloat8DTypePolicy": {"mode": "float8", "source_name": "float32"},
    "Int4DTypePolicy": {"mode": "int4/128", "source_name": "float32"},
    "GPTQDTypePolicy": {"mode": "gptq/4/128", "source_name": "float32"},
    "AWQDTypePolicy": {"mode": "awq/4/128", "source_name": "float32"},
}

# What an argument is set to in the second entry: the first that is accepted.
AWAY = {
    "name": ["own_name"],
    "trainable": [False],
    "dtype": ["float16", "mixed_float16"],
    "activation": ["tanh", "swish"],
    "recurrent_activation": ["hard_sigmoid"],
    "seed": [11],
    "axis": [1, -2, [1, 2]],
    "data_format": ["channels_first"],
    "padding": ["same", 2, "constant"],
    "strides": [2],
    "dilation_rate": [2],
    "groups": [3],
    "pool_size": [3],
    "kernel_size": [3],
    "size": [3],
    "cropping": [2],
    "factor": [0.4, [-0.2, 0.3], 0.1],
    "fill_mode": ["nearest", "constant"],
    "interpolation": ["nearest"],
    "reduction": ["sum"],
    "mode": ["fan_out", "columns", "horizontal"],
    "distribution": ["uniform"],
    "output_mode": ["count", "multi_hot", "one_hot"],
    "merge_mode": ["sum"],
    "initial_value": [0.5],
    "beta_initializer": ["he_normal"],
    "shared_axes": [[1]],
    "noise_shape": [[1, 3]],
    "thresholds": [[0.25, 0.5], 0.25],
    "score_mode": ["concat"],
    "attention_axes": [[1]],
    "num_filters": [2],
    "learning_rate": [0.25],
    "weight_decay": [0.004],
    "clipnorm": [1.5],
    "clipvalue": [0.5],
    "global_clipnorm": [2.5],
    "use_ema": [True],
    "ema_momentum": [0.5],
    "ema_overwrite_frequency": [10],
    "loss_scale_factor": [16.0],
    "gradient_accumulation_steps": [4],
    "from_logits": [True],
    "label_smoothing": [0.1],
    "ignore_class": [1],
    "class_weights": [[0.5, 0.5]],
    "top_k": [3],
    "class_id": [1],
    "curve": ["PR"],
    "summation_method": ["minoring", "majoring"],
    "num_thresholds": [11],
    "average": ["micro", "macro"],
    "beta": [0.5],
    "threshold": [0.25],
    "vocabulary": [["x", "y", "z"], [4, 6, 8]],
    "idf_weights": [[0.1, 0.2, 0.3]],
    "standardize": ["lower"],
    "split": ["character"],
    "ngrams": [2],
    "output_sequence_length": [5],
    "mean": [0.5],
    "variance": [2.0],
    "value": [0.5],
    "value_range": [[0, 1]],
    "output_padding": [1],
    "equation": [],
    "output_shape": [[5, 6]],
    "bias_axes": ["d"],
    "class_aggregation": ["mean", None],
    "multioutput": ["raw_values"],
    "value_padding": [1],
    "scaling": ["density"],
    "window": ["hamming"],
    "side": ["imag"],
    "invert": [True],
    "oov_method": ["farmhash"],
    "lora_rank": [2],
    "lora_alpha": [3],
    "quantization_config": [],
    "weights": [],
    "activity_regularizer": [{"l2": 0.25}],
    "bounding_box_format": ["xywh"],
    "input_axes": [[0]],
    "output_axes": [[1]],
    "input_shape": [],
    "renorm_clipping": [],
    "layout": [],
    "autocast": [],
    "batch_input_shape": [],
    "batch_shape": [],
    "shape": [],
    "input_tensor": [],
    "type_spec": [],
    "type": [],
    "fn": [],
    "jit_compile": [False],
    "sparse": [True],
    "label_weights": [],
    "encoding": ["utf-16"],
    "mask_token": ["x", 0],
    "oov_token": ["y", -2],
    "mask_value": [0],
    "salt": [3],
    "max_tokens": [12],
    "num_bins": [9],
}


OBJECTS = {
    "_regularizer": lambda k: k.regularizers.L1L2(0.5, 0.25),
    "_constraint": lambda k: k.constraints.MaxNorm(3.0, axis=0),
    "_initializer": lambda k: k.initializers.RandomNormal(0.0, 0.25, seed=5),
}


def with_objects(k):
    """Classes whose arguments are objects."""
    lstm = lambda **kw: k.layers.LSTM(3, return_sequences=True, name="inner", **kw)  # noqa: E731
    made = {
        "Bidirectional": [dict(layer=lstm()), dict(layer=lstm(), backward_layer=k.layers.LSTM(
            3, return_sequences=True, go_backwards=True, name="back"), merge_mode="sum")],
        "TimeDistributed": [dict(layer=k.layers.Dense(3, name="inner"))],
        "Wrapper": [dict(layer=k.layers.Dense(3, name="inner"))],
        "SpectralNormalization": [dict(layer=k.layers.Dense(3, name="inner"), power_iterations=2)],
        "RNN": [dict(cell=k.layers.GRUCell(3, name="cell")),
                dict(cell=k.layers.LSTMCell(3, name="cell"), return_sequences=True, unroll=True)],
        "StackedRNNCells": [dict(cells=[k.layers.GRUCell(3, name="a"), k.layers.LSTMCell(2, name="b")])],
        "MeanMetricWrapper": [],
        "LossScaleOptimizer": [],
    }
    if not hasattr(k, "dtype_policies"):
        made["InputLayer"] = [dict(input_shape=(4,), name="own_name")]
        made["MeanMetricWrapper"] = [dict(fn=k.metrics.mean_squared_error, name="own_name")]
        made["LossScaleOptimizer"] = [dict(inner_optimizer=k.optimizers.SGD(0.25))]
        made["Adam"] = [dict(learning_rate=k.optimizers.schedules.CosineDecay(0.5, 20))]
        made["SGD"] = [dict(learning_rate=k.optimizers.schedules.ExponentialDecay(0.5, 20, 0.5, staircase=True))]
    else:
        made["LossScaleOptimizer"] = [dict(inner_optimizer=k.optimizers.SGD(0.25))]
        made["RandomApply"] = [dict(layer=k.layers.RandomBrightness(0.2, name="inner"), rate=0.25)]
        made["Pipeline"] = [dict(layers=[k.layers.RandomBrightness(0.2, name="a"), k.layers.AutoContrast(name="b")])]
        made["DTypePolicyMap"] = [dict(), dict(default_policy="float16")]
        made["Adam"] = [dict(learning_rate=k.optimizers.schedules.CosineDecay(0.5, 20))]
        made["SGD"] = [dict(learning_rate=k.optimizers.schedules.ExponentialDecay(0.5, 20, 0.5, staircase=True))]
        made["Activation"] = [dict(activation=k.layers.LeakyReLU(0.125, name="inner"))]
        made["OptimizerMap"] = [dict(default_optimizer=k.optimizers.SGD(0.25))]
        made["MultiOptimizer"] = [dict(optimizer_map=k.optimizers.OptimizerMap(k.optimizers.SGD(0.25)))]
        made["MeanMetricWrapper"] = [dict(fn=k.metrics.mean_squared_error)]
        made["Dense"] = [dict(units=3, dtype=k.DTypePolicy("mixed_bfloat16"))]
    return made


def public_classes(k, modules):
    seen, found = set(), []
    for path in modules:
        module = k
        for part in path.split("."):
            module = getattr(module, part, None)
        if module is None:
            continue
        for name in sorted(vars(module)):
            item = getattr(module, name)
            if inspect.isclass(item) and id(item) not in seen and not name.startswith("_"):
                seen.add(id(item))
                found.append((path, name, item))
    return found


def parameters(cls):
    """Names and defaults of all constructor arguments, base classes' keywords too."""
    found = {}
    for base in cls.__mro__:
        if "__init__" not in vars(base) or base is object:
            continue
        signature = inspect.signature(base.__init__)
        for name, p in list(signature.parameters.items())[1:]:
            if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) and name not in found:
                found[name] = p.default
        if not any(p.kind == p.VAR_KEYWORD for p in signature.parameters.values()):
            break
    return found


def candidates(k, name, default):
    for suffix, make in OBJECTS.items():
        if name.endswith(suffix) or name == suffix[1:]:
            return [make(k)]
    if name in AWAY:
        return AWAY[name]
    if isinstance(default, bool):
        return [not default]
    if isinstance(default, int):
        return [default + 1, default + 2]
    if isinstance(default, float):
        return [default / 2 if default else 0.5]
    return [3, 0.5, True, "x"]


class Generation:
    """How one generation makes, serializes and writes."""

    def __init__(self, k, modern):
        self.k, self.modern = k, modern

    def reset(self):
        """Names count from the first again. clear_session does it too, but collects garbage each time."""
        if self.modern:
            from keras.src.utils.naming import reset_uids

            reset_uids()
        else:
            self.k.backend.reset_uids()

    def serialize(self, item):
        if self.modern:
            return self.k.saving.serialize_keras_object(item)
        return self.k.saving.serialize_keras_object(item)

    def output(self, path, item):
        if self.modern:
            return self.serialize(item)
        from tf_keras.src.saving.legacy import serialization

        return serialization.serialize_keras_object(item)

    def input(self, output, name, path, kwargs):
        config = {key: self.plain(value) for key, value in kwargs.items()}
        if self.modern:
            return {"module": output["module"], "class_name": output["class_name"], "config": config}
        return {"class_name": output["class_name"], "config": config}

    def plain(self, value):
        if isinstance(value, (list, tuple)):
            return [self.plain(v) for v in value]
        if isinstance(value, (int, float, str, bool)) or value is None:
            return value
        if self.modern:
            return self.serialize(value)
        from tf_keras.src.saving.legacy import serialization

        return serialization.serialize_keras_object(value)


def as_json(value):
    def other(v):
        if hasattr(v, "tolist"):
            return v.tolist()
        if hasattr(v, "item"):
            return v.item()
        raise TypeError(f"{type(v)}")

    return json.loads(json.dumps(value, default=other))


def tuples(value):
    """Lists as constructors take them."""
    return tuple(tuples(v) for v in value) if isinstance(value, list) else value


def attempt(generation, path, cls, kwargs):
    generation.reset()
    item = cls(**{key: tuples(v) if key in ("dims", "target_shape", "output_shape") else v for key, v in kwargs.items()})
    return as_json(generation.output(path, item))


def entries(generation, path, name, cls, objects, problems):
    k = generation.k
    base = dict(REQUIRED.get(name, {}))
    variants = [dict(v) for v in objects.get(name, [])]
    if name not in objects or name in REQUIRED or not variants:
        variants.append(base)
    made = []
    for kwargs in variants:
        try:
            output = attempt(generation, path, cls, kwargs)
        except Exception as error:  # noqa: BLE001
            problems.append(f"{path}.{name}: {type(error).__name__}: {str(error).splitlines()[0][:120]}")
            continue
        made.append({"input": as_json(generation.input(output, name, path, kwargs)), "output": output})
    if not made:
        return made
    kwargs, before = dict(variants[0]), made[0]["output"]
    for argument, default in parameters(cls).items():
        if argument in kwargs and argument not in ("pool_size",):
            continue
        for value in candidates(k, argument, default):
            if value == default:
                continue
            try:
                tried = {**kwargs, argument: value}
                after = attempt(generation, path, cls, tried)
            except Exception:  # noqa: BLE001
                continue
            if before != after:
                kwargs, before = tried, after
                break
    if kwargs != variants[0]:
        output = attempt(generation, path, cls, kwargs)
        made.append({"input": as_json(generation.input(output, name, path, kwargs)), "output": output})
    return made


def main():
    writer, out = sys.argv[1:3]
    modern = writer.startswith("keras-3")
    if modern:
        import keras as k
    else:
        import tf_keras as k
    generation = Generation(k, modern)
    objects, problems, rows = with_objects(k), [], []
    for path, name, cls in public_classes(k, MODULES if modern else TF_MODULES):
        made = entries(generation, path, name, cls, objects, problems)
        place = {"class": f"keras.{path}.{name}"}
        rows += [row if modern else {**place, **row} for row in made] or [place]
    with open(out, "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")
    classes = {(row["output"].get("module"), row["output"]["class_name"]) for row in rows if "output" in row}
    print(f"{len(rows)} objects of {len(classes)} classes")
    for problem in problems:
        print(problem)


if __name__ == "__main__":
    main()

"""What runs a segment: each peer has the same call, `run(tokens, z_h, z_l)` to `logits, q, next_h, next_l`."""

import csv
from pathlib import Path

import numpy as np
import onnx

INPUTS, OUTPUTS = ("tokens", "z_h", "z_l"), ("logits", "q", "next_h", "next_l")


class OnnxRuntime:
    """ONNX Runtime on one thread."""

    def __init__(self, path):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.bytes = Path(path).stat().st_size

    def run(self, *inputs):
        return self.session.run(OUTPUTS, dict(zip(INPUTS, inputs)))


class Tract:
    """tract through its Python package, which takes one batch size."""

    def __init__(self, path, batch):
        import tract

        # It refuses to unify a batch size with the symbol that ONNX Runtime's preparation has left in every value's shape.
        graph = onnx.load(path)
        del graph.graph.value_info[:]
        for value in (*graph.graph.input, *graph.graph.output):
            value.type.tensor_type.shape.dim[0].dim_value = batch
        fixed = Path(path).with_suffix(f".batch{batch}.onnx")
        onnx.save(graph, fixed)
        self.runnable = tract.onnx().load(str(fixed)).into_model().into_runnable()
        self.bytes = fixed.stat().st_size

    def run(self, *inputs):
        return [output.to_numpy() for output in self.runnable.run([np.ascontiguousarray(part) for part in inputs])]


def puzzles(path, most):
    """Tokens and labels of a file that `hrm-host data generate` wrote."""
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))[:most]
    tokens = lambda text: [1 if cell == "." else int(cell) + 1 for cell in text]
    return [np.array([tokens(row[column]) for row in rows], np.int64) for column in ("question", "answer")]


def tensors(arrays):
    """PyTorch's view of arrays."""
    import torch

    return tuple(torch.from_numpy(np.ascontiguousarray(part)) for part in arrays)


class Torch:
    """PyTorch on one thread, eager or through `torch.compile`."""

    def __init__(self, model, compiled):
        import segment_torch
        import torch

        torch.set_num_threads(1)
        self.torch = torch
        module = segment_torch.Segment(model).eval()
        self.bytes = sum(tensor.numel() * tensor.element_size() for tensor in module.buffers())
        self.module = torch.compile(module) if compiled else module

    def run(self, *inputs):
        with self.torch.inference_mode():
            outputs = self.module(*tensors(inputs))
        return [output.numpy() for output in outputs]


class ExecuTorch:
    """A program of ExecuTorch on one thread, which takes one batch size."""

    def __init__(self, path):
        from executorch.extension.pybindings import portable_lib

        portable_lib._unsafe_reset_threadpool(1)
        self.module = portable_lib._load_for_executorch(str(path))
        self.bytes = path.stat().st_size

    def run(self, *inputs):
        return [output.numpy() for output in self.module.forward(tensors(inputs))]


def feedback(model, tokens):
    """The inputs of every segment, as the model feeds them back, for static quantizers."""
    states = initial(model, len(tokens))
    for _ in range(model.segments):
        yield tokens, *states
        states = [part.astype(np.float32) for part in model.segment(tokens, *states)[2:]]


def calibration(inputs):
    """What ONNX Runtime's static quantizer reads."""
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):
        left = [dict(zip(INPUTS, each)) for each in inputs]

        def get_next(self):
            return self.left.pop(0) if self.left else None

    return Reader()


def initial(model, puzzles):
    """Both states before the first segment."""
    shape = puzzles, model.cells + 1, model.width
    return [np.broadcast_to(model.w[name], shape).astype(np.float32) for name in ("H_init", "L_init")]


def write_graphs(model, graph, tokens, folder):
    """Writes the float graph and what ONNX Runtime's quantizers make of it; their paths by name."""
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_dynamic, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    at = lambda name: folder / f"{name}.onnx"
    onnx.save(graph, at("float"))
    quant_pre_process(at("float"), at("prepared"))
    static = dict(quant_format=QuantFormat.QDQ, per_channel=True, weight_type=QuantType.QInt8)
    dynamic = dict(per_channel=True, weight_type=QuantType.QInt8)
    variants = {
        "int8, dynamic": lambda path: quantize_dynamic(at("prepared"), path, **dynamic),
        "int8, dynamic, 7-bit weights": lambda path: quantize_dynamic(at("prepared"), path, reduce_range=True, **dynamic),
    }
    signs = {"u8": dict(activation_type=QuantType.QUInt8), "s8": dict(activation_type=QuantType.QInt8)}
    signs["u8, 7-bit weights"] = dict(activation_type=QuantType.QUInt8, reduce_range=True)
    signs["u8, products alone"] = dict(activation_type=QuantType.QUInt8, op_types_to_quantize=["MatMul"])
    for name, more in signs.items():
        reader = calibration(feedback(model, tokens))
        variants[f"int8, static {name}"] = lambda path, reader=reader, more=more: quantize_static(
            at("prepared"), path, reader, **static, **more
        )
    paths = {"float": at("float")}
    for name, make in variants.items():
        paths[name] = at(name.replace(", ", "-").replace(" ", "-"))
        make(paths[name])
    return paths

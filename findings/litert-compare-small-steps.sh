#!/bin/sh
# ai-edge-litert 2.3.0 (LiteRT, once TensorFlow Lite), tflite-micro 0.dev20261023182759,
# ai-edge-quantizer 0.10.0, numpy 2.4.6.
#
# Guess, written down first, the first half as the bound of a trial of all operators: an int8
# operator of LiteRT takes its inputs for the numbers that they and their scales stand for, and
# tflite-micro gives the same. So where two tensors have one scale, comparing them is comparing the
# integers.
#
# Seen: GREATER, LESS, GREATER_EQUAL, LESS_EQUAL, EQUAL and NOT_EQUAL of int8 round both numbers to
# whole 256ths first, whatever the scale. What lies within the same 256th is equal. With all pairs
# tried, this rule tells every answer, of LiteRT's three sets of kernels and of tflite-micro.
#   * Every tensor whose range is narrower than 1 has a scale below 1 / 256. At 0.001 numbers up to
#     three steps apart are equal, at 0.0001 up to 38. From 1 / 256 to 0.05 all is right.
#   * int16 is worse off, as its scales are mostly that small: EQUAL and NOT_EQUAL have the same
#     rule. GREATER, LESS and their kin compare the integers, also where the scales differ.
#     (Only LiteRT was asked about int16.)
# LiteRT's int8 specification lists these operators without such a bound. A change that would
# measure by the larger of both scales was closed unmerged (TensorFlow's pull request 52706).
# "Equal to the maximum" then marks several entries, and a model that halts where one score is
# greater than another goes on. ai-edge-quantizer makes int8 and int16 EQUAL. Around it: compare
# floats; or multiply both by a constant that brings their range to 1 or more, which int8 keeps.
#
# Fails where that changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet numpy==2.4.6 flatbuffers==25.12.19 ai-edge-litert==2.3.0 \
    ai-edge-quantizer==0.10.0 tflite-micro==0.dev20261023182759
cd "$folder"
cat > try.py <<'PYTHON'
import contextlib
from importlib.metadata import version

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from ai_edge_quantizer import quantizer
from tflite_micro.python.tflite_micro import runtime

KINDS = {
    np.dtype(np.int8): schema.TensorType.INT8,
    np.dtype(np.int16): schema.TensorType.INT16,
    np.dtype(np.float32): schema.TensorType.FLOAT32,
}
KERNELS = (
    OpResolverType.BUILTIN,
    OpResolverType.BUILTIN_REF,
    OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
)


def comparison(name, inputs, scales):
    """A file of one comparison of two tensors; `scales` are pairs with the zero point."""

    def tensor(name, kind, shape, scale=None):
        made = schema.TensorT()
        made.name, made.type, made.shape, made.buffer = name, kind, shape, 0
        if scale:
            made.quantization = schema.QuantizationParametersT()
            made.quantization.scale, made.quantization.zeroPoint = [scale[0]], [scale[1]]
        return made

    def named(name, index):
        made = schema.TensorMapT()
        made.name, made.tensorIndex = name, index
        return made

    code, operator = schema.OperatorCodeT(), schema.OperatorT()
    code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, name)
    code.version = 2
    options = "".join(part.capitalize() for part in name.split("_")) + "Options"
    operator.opcodeIndex, operator.inputs, operator.outputs = 0, [0, 1], [2]
    operator.builtinOptionsType = getattr(schema.BuiltinOptions, options)
    operator.builtinOptions = getattr(schema, options + "T")()
    graph, model, signature = schema.SubGraphT(), schema.ModelT(), schema.SignatureDefT()
    graph.tensors = [
        tensor(name, KINDS[one.dtype], list(one.shape), scale)
        for name, one, scale in zip("ab", inputs, scales)
    ]
    shape = np.broadcast_shapes(*(one.shape for one in inputs))
    graph.tensors.append(tensor("y", schema.TensorType.BOOL, list(shape)))
    graph.name, graph.inputs, graph.outputs, graph.operators = "main", [0, 1], [2], [operator]
    signature.signatureKey, signature.subgraphIndex = "serving_default", 0
    signature.inputs, signature.outputs = [named("a", 0), named("b", 1)], [named("y", 2)]
    model.version, model.operatorCodes, model.subgraphs = 3, [code], [graph]
    model.signatureDefs, model.buffers = [signature], [schema.BufferT()]
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytearray(builder.Output())


def litert(file, inputs, kernels=OpResolverType.BUILTIN):
    interpreter = Interpreter(model_content=bytes(file), experimental_op_resolver_type=kernels)
    interpreter.allocate_tensors()
    for entry, values in zip(interpreter.get_input_details(), inputs):
        interpreter.set_tensor(entry["index"], values)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def micro(file, inputs):
    interpreter = runtime.Interpreter.from_bytes(bytes(file), arena_size=1 << 20)
    for index, values in enumerate(inputs):
        interpreter.set_input(values, index)
    interpreter.invoke()
    return interpreter.get_output(0)


def number(integers, scale):
    """In float32's scale, as the file has it."""
    return (integers.astype(float) - scale[1]) * float(np.float32(scale[0]))


def parts(numbers):
    return np.rint(256 * numbers)


packages = ("ai-edge-litert", "tflite-micro", "ai-edge-quantizer", "numpy")
print(*(f"{name} {version(name)}" for name in packages), sep=", ")
names = ("GREATER", "LESS", "GREATER_EQUAL", "LESS_EQUAL", "EQUAL", "NOT_EQUAL")
every = np.mgrid[-128:128, -128:128].reshape(2, 1, -1)
for scales, far in (
    (((0.05, -7),) * 2, 0),
    (((1 / 256, -128),) * 2, 0),
    (((0.003, 0),) * 2, 1),
    (((0.001, 5),) * 2, 3),
    (((0.0001, -7),) * 2, 38),
    (((0.003, 3), (0.0007, -20)), None),
):
    inputs = list(every.astype(np.int8))
    a, b = (number(one, scale) for one, scale in zip(inputs, scales))
    for name in names:
        compare, file = getattr(np, name.lower()), comparison(name, inputs, scales)
        answers = [litert(file, inputs, kernels) for kernels in KERNELS] + [micro(file, inputs)]
        assert all((answer == compare(parts(a), parts(b))).all() for answer in answers)
        wrong = answers[0] != compare(a, b)
        if far is not None:
            assert np.abs(every[0] - every[1])[wrong].max(initial=0) == far
        if name in ("GREATER", "EQUAL"):
            print(f"int8, {name}, scales {scales}: wrong of {100 * wrong.mean():.2f} % of pairs")
        assert wrong.any() == (far != 0)

random = np.random.default_rng(0)
inputs = list(random.integers(-20000, 20000, (2, 1, 9000)).astype(np.int16))
inputs[1][0, ::3] = inputs[0][0, ::3] + random.integers(-200, 200, 3000)
for scales in (((0.0001, 0),) * 2, ((0.0001, 0), (0.00003, 0))):
    a, b = (number(one, scale) for one, scale in zip(inputs, scales))
    for name in names:
        compare, file = getattr(np, name.lower()), comparison(name, inputs, scales)
        answers = [litert(file, inputs, kernels) for kernels in KERNELS]
        seen = compare(parts(a), parts(b)) if name in ("EQUAL", "NOT_EQUAL") else compare(*inputs)
        assert all((answer == seen).all() for answer in answers)
        wrong = (seen != compare(a, b)).mean()
        steps = f"{scales[0][0]} and {scales[1][0]}"
        print(f"int16, {name}, scales {steps}: wrong of {100 * wrong:.2f} % of pairs")
        assert (wrong == 0) == (scales[0] == scales[1] and name not in ("EQUAL", "NOT_EQUAL"))

rows = 200
scores = lambda: random.normal(size=(rows, 10)).astype(np.float32) * np.float32(0.02)
pair = lambda a: {"a": a, "b": a.max(1, keepdims=True)}
file = comparison("EQUAL", list(pair(scores()).values()), (None, None))
for recipe, kind in (("static_wi8_ai8", np.int8), ("static_wi8_ai16", np.int16)):
    made = quantizer.Quantizer(file, recipe)
    with contextlib.redirect_stdout(None):
        ranges = made.calibrate({"serving_default": [pair(scores()) for _ in range(20)]})
        quantized = made.quantize(ranges).quantized_model
    interpreter = Interpreter(model_content=bytes(quantized))
    values, inputs = pair(scores()), []
    for entry, name in zip(interpreter.get_input_details(), "ab"):
        scale, zero = entry["quantization"]
        ends, integers = np.iinfo(kind), np.rint(values[name] / scale) + zero
        assert entry["dtype"] == kind
        inputs.append(np.clip(integers, ends.min, ends.max).astype(kind))
    marked = litert(quantized, inputs).sum(1)
    once = (inputs[0] == inputs[0].max(1, keepdims=True)).sum(1)
    print(
        f"equal to the largest, {recipe}, scale {scale:.6f}: several in {(marked > 1).sum()} of"
        f" {rows} rows, by the integers in {(once > 1).sum()}"
    )
    assert (marked > 1).sum() >= 10 + (once > 1).sum()
print("as seen")
PYTHON
"$folder/python/bin/python" try.py > output 2> errors || { cat output errors; exit 1; }
cat output

#!/bin/sh
# microflow 0.1.3 with microflow-macros 0.1.1 (Rust, runs TensorFlow Lite files on
# microcontrollers), ai-edge-litert 2.3.0 (LiteRT, once TensorFlow Lite), numpy 2.4.6.
#
# Guess, written down first: Conv2D, DepthwiseConv2D and AveragePool2D, which the crate lists as
# supported, are within one step of LiteRT's for both paddings and strides 1 and 2.
#
# Seen: they are the same to the bit, but for SAME padding with stride 2 on an even side: there
# every number of the cases here is wrong, by up to 157 of the 256 steps. For 3x3 windows on 6x6,
# LiteRT pads nothing before and one row after, as TensorFlow does; microflow always pads (3 - 1) /
# 2 before, so that its windows lie one row and one column higher. Sides of 5, stride 1 and VALID
# come out right. Nothing in the README or the documentation says so, and nothing fails: the shapes
# are the same. Networks halve even sides this way (MobileNet's 96 to 48 to 24), and lose accuracy
# for no reason that one sees. Its source of April 2026 is the same (src/tensor.rs, `view`). Around
# it: train with odd sides at strided layers (97 to 49 to 25), or VALID there; an explicit PAD is
# not supported.
#
# Fails where that changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet numpy==2.4.6 flatbuffers==25.12.19 ai-edge-litert==2.3.0
mkdir "$folder/src"
cd "$folder"
cat > Cargo.toml <<'TOML'
[package]
name = "try"
version = "0.0.0"
edition = "2024"

[dependencies]
microflow = "=0.1.3"
microflow-macros = "=0.1.1"
nalgebra = { version = "=0.32.6", default-features = false, features = ["macros"] }

[profile.dev]
debug = false
TOML
cat > make.py <<'PYTHON'
"""Writes a file for each case, its answers by LiteRT, and the Rust program that runs microflow."""

from importlib.metadata import version
from pathlib import Path

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

SCALE, ZERO, CHANNELS = 0.5, -5, 2
random = np.random.default_rng(0)


def tensor(name, kind, shape, scales, zero=0, axis=0, buffer=0):
    made = schema.TensorT()
    made.name, made.type, made.shape, made.buffer = name, kind, list(shape), buffer
    made.quantization = schema.QuantizationParametersT()
    made.quantization.scale, made.quantization.zeroPoint = scales, [zero] * len(scales)
    made.quantization.quantizedDimension = axis
    return made


def buffer(array):
    made = schema.BufferT()
    made.data = np.frombuffer(array.tobytes(), np.uint8)
    return made


def file(kind, side, out, stride, padding):
    """One operator with 3x3 windows: int8 to int8."""
    code, operator = schema.OperatorCodeT(), schema.OperatorT()
    graph, model = schema.SubGraphT(), schema.ModelT()
    int8, int32 = schema.TensorType.INT8, schema.TensorType.INT32
    graph.tensors = [
        tensor("x", int8, (1, side, side, CHANNELS), [SCALE], ZERO),
        tensor("y", int8, (1, out, out, CHANNELS), [SCALE], ZERO),
    ]
    model.buffers, operator.inputs = [schema.BufferT()], [0]
    options = {
        "CONV_2D": schema.Conv2DOptionsT,
        "DEPTHWISE_CONV_2D": schema.DepthwiseConv2DOptionsT,
        "AVERAGE_POOL_2D": schema.Pool2DOptionsT,
    }[kind]()
    options.padding = getattr(schema.Padding, padding)
    options.strideH = options.strideW = stride
    if kind == "AVERAGE_POOL_2D":
        options.filterHeight = options.filterWidth = 3
        operator.builtinOptionsType = schema.BuiltinOptions.Pool2DOptions
    else:
        options.dilationHFactor = options.dilationWFactor = 1
        deep = kind == "DEPTHWISE_CONV_2D"
        if deep:
            options.depthMultiplier = 1
        named = "DepthwiseConv2DOptions" if deep else "Conv2DOptions"
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, named)
        shape = (1 if deep else CHANNELS, 3, 3, CHANNELS)
        weights = random.integers(-60, 60, shape).astype(np.int8)
        bias = random.integers(-500, 500, CHANNELS).astype(np.int32)
        model.buffers += [buffer(weights), buffer(bias)]
        graph.tensors += [
            tensor("w", int8, weights.shape, [0.005] * CHANNELS, axis=3 if deep else 0, buffer=1),
            tensor("b", int32, bias.shape, [0.005 * SCALE] * CHANNELS, buffer=2),
        ]
        operator.inputs = [0, 2, 3]
    operator.opcodeIndex, operator.outputs, operator.builtinOptions = 0, [1], options
    code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, kind)
    code.version = 3 if kind != "AVERAGE_POOL_2D" else 2
    graph.inputs, graph.outputs, graph.operators = [0], [1], [operator]
    model.version, model.operatorCodes, model.subgraphs = 3, [code], [graph]
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def litert(content, x, kernels):
    interpreter = Interpreter(model_content=content, experimental_op_resolver_type=kernels)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


models, calls = [], []
for side in (5, 6):
    for stride in (1, 2):
        for padding in ("SAME", "VALID"):
            for kind in ("CONV_2D", "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D"):
                out = -(-side // stride) if padding == "SAME" else -(-(side - 2) // stride)
                content = file(kind, side, out, stride, padding)
                x = random.integers(-128, 128, (1, side, side, CHANNELS)).astype(np.int8)
                y = litert(content, x, OpResolverType.BUILTIN_REF)
                assert (y == litert(content, x, OpResolverType.BUILTIN)).all()
                at = len(models)
                Path(f"model{at}.tflite").write_bytes(content)
                models.append(f'#[model("model{at}.tflite")]\nstruct Model{at};')
                numbers = (x.astype(np.float32) - ZERO) * np.float32(SCALE)
                rows = ",".join(str(pixel.tolist()) for pixel in numbers.reshape(-1, CHANNELS))
                wanted = ((y.astype(np.float32) - ZERO) * np.float32(SCALE)).ravel().tolist()
                odd = str(side == 6 and stride == 2 and padding == "SAME").lower()
                calls.append(
                    f'    show("{kind} {padding}, stride {stride}, side {side}",'
                    f" {odd}, &Model{at}::predict(picture(&[{rows}])), &{wanted});"
                )
Path("src/calls.rs").write_text("fn run() {\n" + "\n".join(calls) + "\n}\n" + "\n".join(models))
print(*(f"{name} {version(name)}" for name in ("ai-edge-litert", "numpy")), sep=", ")
PYTHON
cat > src/main.rs <<'RUST'
use microflow::buffer::Buffer4D;
use microflow::model;

const SCALE: f32 = 0.5;
include!("calls.rs");

fn picture<const N: usize>(pixels: &[[f32; 2]]) -> Buffer4D<f32, 1, N, N, 2> {
    [nalgebra::SMatrix::from_fn(|row, column| pixels[row * N + column])]
}

fn show<const N: usize>(case: &str, odd: bool, made: &Buffer4D<f32, 1, N, N, 2>, wanted: &[f32]) {
    let mut steps = Vec::new();
    for row in 0..N {
        for column in 0..N {
            for channel in 0..2 {
                let wanted = wanted[(row * N + column) * 2 + channel];
                steps.push((made[0][(row, column)][channel] - wanted).abs() / SCALE);
            }
        }
    }
    let wrong = steps.iter().filter(|&&step| step > 1.5).count();
    let most = steps.iter().copied().fold(0., f32::max);
    println!("{case}: {wrong} of {} are wrong, at most by {most} steps", steps.len());
    if odd {
        assert!(wrong * 3 > steps.len() * 2 && most > 30.);
    } else {
        assert!(most <= 1.);
    }
}

fn main() {
    run();
    println!("as seen");
}
RUST
"$folder/python/bin/python" make.py 2> errors || { cat errors; exit 1; }
CARGO_TARGET_DIR="$folder/target" cargo run --quiet
grep -A 1 '^name = "microflow' Cargo.lock

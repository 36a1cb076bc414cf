#!/bin/sh
# candle-onnx 0.11.1 and candle-core 0.11.1, on the CPU; onnx 1.23.2, numpy 2.4.6.
#
# Guess, written down first: of a valid ONNX file, what candle-onnx does not support ends in an
# error, and what it runs is right.
#
# Seen: from opset 18 on ReduceMean has its axes as an input. candle-onnx looks only for the
# attribute of older files, so it takes the mean over all axes. With `keepdims`, the default, that
# fits wherever the right mean fits. So an RMS normalization that is made of Mul, ReduceMean, Add,
# Sqrt and Div, as exporters write it, divides each row by the same number: wrong everywhere, in the
# right shape, without a word. At opset 17 the same graph is right. ReduceMax and ReduceMin look at
# the input. Its author said so when it was added (candle's pull request 2049, "compatible with 13
# and below"); neither the README nor `simple_eval` does, which does not look at the opset. Six more
# operators are taken otherwise than the specification says, and not refused:
#   * Transpose without `perm` exchanges the last two axes, instead of reversing all;
#   * MaxPool and AveragePool without `strides` step by the window, instead of by 1;
#   * Split into parts that do not divide the axis makes the last part longer, not shorter;
#   * Flatten with a negative axis gives one column;
#   * Gelu with `approximate="tanh"` is the exact one.
# Around it: write files of opset 17, and compare with another runtime before use.
#
# Fails where that changes. Builds candle, without optimization; its build needs `protoc`, which is
# taken from grpcio-tools 1.85.1.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet numpy==2.4.6 onnx==1.23.2 safetensors==0.8.0 \
    grpcio-tools==1.85.1
mkdir "$folder/src"
cd "$folder"
cat > protoc <<PROTOC
#!/bin/sh
exec "$folder/python/bin/python" -m grpc_tools.protoc "\$@"
PROTOC
chmod +x protoc
cat > Cargo.toml <<'TOML'
[package]
name = "try"
version = "0.0.0"
edition = "2024"

[dependencies]
candle-core = { version = "=0.11.1", default-features = false }
candle-onnx = "=0.11.1"

[profile.dev]
debug = false
TOML
cat > make.py <<'PYTHON'
"""Writes a valid file for each case, its input, and what ONNX's own evaluator answers."""

from importlib.metadata import version

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save
from onnx.reference import ReferenceEvaluator
from safetensors.numpy import save_file

random = np.random.default_rng(0)


def write(name, shape, nodes, constants=(), opset=21, outputs=("y",), rank=None):
    x = (random.standard_normal(shape) * 3).astype(np.float32)
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    graph = helper.make_graph(
        [helper.make_node(*node[:3], **(node[3] if len(node) > 3 else {})) for node in nodes],
        "g",
        [value("x", shape)],
        [value(name, [None] * (rank or len(shape))) for name in outputs],
        [numpy_helper.from_array(array, name) for name, array in dict(constants).items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    checker.check_model(made, full_check=True)
    save(made, f"{name}.onnx")
    answers = ReferenceEvaluator(made).run(None, {"x": x})
    known = dict(zip(outputs, map(np.ascontiguousarray, answers)))
    save_file({"x": x, **known}, f"{name}.safetensors")


def norm(axes_in_input):
    mean = ("ReduceMean", ["square", "axes"], ["mean"])
    if not axes_in_input:
        mean = ("ReduceMean", ["square"], ["mean"], {"axes": [-1]})
    return [
        ("Mul", ["x", "x"], ["square"]),
        mean,
        ("Add", ["mean", "epsilon"], ["sum"]),
        ("Sqrt", ["sum"], ["root"]),
        ("Div", ["x", "root"], ["y"]),
    ]


epsilon, axes = np.array(1e-5, np.float32), np.array([-1])
one = lambda operator, **attributes: [(operator, ["x"], ["y"], attributes)]
write("norm17", (2, 4, 8), norm(False), {"epsilon": epsilon}, opset=17)
write("norm18", (2, 4, 8), norm(True), {"epsilon": epsilon, "axes": axes}, opset=18)
write("mean18", (2, 4, 8), [("ReduceMean", ["x", "axes"], ["y"])], {"axes": axes}, opset=18)
write("max18", (2, 4, 8), [("ReduceMax", ["x", "axes"], ["y"])], {"axes": axes}, opset=18)
write("transpose", (2, 3, 4), one("Transpose"))
write("maxpool", (1, 1, 6, 6), one("MaxPool", kernel_shape=[2, 2]))
write("averagepool", (1, 1, 6, 6), one("AveragePool", kernel_shape=[2, 2]))
parts = ("y0", "y1", "y2")
write("split", (5, 2), [("Split", ["x"], parts, {"num_outputs": 3, "axis": 0})], outputs=parts)
write("flatten", (2, 3, 4), one("Flatten", axis=-1), rank=2)
write("gelu", (100,), one("Gelu", approximate="tanh"))
print(*(f"{name} {version(name)}" for name in ("onnx", "numpy")), sep=", ")
PYTHON
cat > src/main.rs <<'RUST'
use candle_core::{Device, Result, Tensor, safetensors::load};
use std::collections::HashMap;

/// What candle-onnx answers to the file's input, and what it should.
fn answers(name: &str, outputs: &[&str]) -> Result<Vec<(Tensor, Tensor)>> {
    let known = load(format!("{name}.safetensors"), &Device::Cpu)?;
    let model = candle_onnx::read_file(format!("{name}.onnx"))?;
    let inputs = HashMap::from([("x".to_string(), known["x"].clone())]);
    let made = candle_onnx::simple_eval(&model, inputs)?;
    Ok(outputs.iter().map(|&name| (made[name].clone(), known[name].clone())).collect())
}

fn apart(left: &Tensor, right: &Tensor) -> Result<f32> {
    (left - right)?.abs()?.flatten_all()?.max(0)?.to_scalar()
}

fn main() -> Result<()> {
    for (name, right) in [("norm17", true), ("norm18", false), ("max18", true), ("gelu", false)] {
        let (made, known) = answers(name, &["y"])?.remove(0);
        let most = apart(&made, &known)?;
        println!("{name}: shape {:?}, at most {most} off", made.dims());
        assert!(made.dims() == known.dims());
        assert!(if right { most < 1e-5 } else { most > 1e-4 });
    }
    let x = load("norm18.safetensors", &Device::Cpu)?["x"].clone();
    let all = x.broadcast_div(&(x.sqr()?.mean_all()? + 1e-5)?.sqrt()?)?;
    assert!(apart(&all, &answers("norm18", &["y"])?[0].0)? < 1e-5, "not one number for all rows");
    for (name, seen, known) in [
        ("mean18", vec![1, 1, 1], vec![2, 4, 1]),
        ("transpose", vec![2, 4, 3], vec![4, 3, 2]),
        ("maxpool", vec![1, 1, 3, 3], vec![1, 1, 5, 5]),
        ("averagepool", vec![1, 1, 3, 3], vec![1, 1, 5, 5]),
        ("flatten", vec![24, 1], vec![6, 4]),
    ] {
        let (made, right) = answers(name, &["y"])?.remove(0);
        println!("{name}: shape {:?}, should be {:?}", made.dims(), right.dims());
        assert!(made.dims() == seen && right.dims() == known);
    }
    let parts = answers("split", &["y0", "y1", "y2"])?;
    let lengths = |known: bool| -> Vec<usize> {
        parts.iter().map(|part| if known { &part.1 } else { &part.0 }.dims()[0]).collect()
    };
    println!("split of 5 into 3: {:?}, should be {:?}", lengths(false), lengths(true));
    assert!(lengths(false) == [1, 1, 3] && lengths(true) == [2, 2, 1]);
    println!("as seen");
    Ok(())
}
RUST
"$folder/python/bin/python" make.py
PROTOC="$folder/protoc" CARGO_TARGET_DIR="$folder/target" cargo run --quiet
grep -A 1 '^name = "candle' Cargo.lock

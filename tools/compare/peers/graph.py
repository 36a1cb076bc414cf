"""One segment of a model as an ONNX graph: `tokens`, `z_h`, `z_l` to `logits`, `q`, `next_h`, `next_l`."""

import math

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

OPSET = 21


class Graph:
    """Nodes and constants under way. Matrices are the second input of a `MatMul`, which is what the quantizers look for."""

    def __init__(self):
        self.nodes, self.constants, self.names = [], {}, {}

    def node(self, op, *inputs, outputs=None, **attributes):
        """Adds a node, with one output unless they are named, and returns the (first) output's name."""
        outputs = outputs or [f"{op}_{len(self.nodes)}"]
        self.nodes.append(helper.make_node(op, list(inputs), outputs, name=f"node_{len(self.nodes)}", **attributes))
        return outputs[0]

    def constant(self, name, value, dtype=np.float32):
        """A constant, once for each name."""
        self.constants.setdefault(name, numpy_helper.from_array(np.array(value, dtype, order="C"), name))
        return name

    def shape(self, *sizes):
        return self.constant("shape_" + "_".join(map(str, sizes)), sizes, np.int64)

    def matmul(self, x, name, weight):
        return self.node("MatMul", x, self.constant(name, weight.T))


def build(model):
    """The graph of `model`, for any number of puzzles."""
    g, width, length = Graph(), model.width, model.cells + 1
    scale = math.sqrt(width)
    tokens = g.node("Gather", g.constant("embed_tokens", scale * model.w["embed_tokens.embedding_weight"]), "tokens")
    # a row of zeros for the prefix; its vector comes with the positions
    embedded = g.node("Pad", tokens, g.constant("pads", [0, 1, 0, 0, 0, 0], np.int64))
    place = np.zeros((length, width))
    place[0] = scale * model.w["puzzle_emb.weights"][0]
    if model.config["pos_encodings"] == "learned":
        half = math.sqrt(0.5)
        place = half * (place + scale * model.w["embed_pos.embedding_weight"])
        embedded = g.node("Mul", embedded, g.constant("half", half))
    embedded = g.node("Add", embedded, g.constant("places", place))
    z_h, z_l = "z_h", "z_l"
    for _ in range(model.config["H_cycles"]):
        for _ in range(model.config["L_cycles"]):
            z_l = level(g, model, "L", z_l, g.node("Add", z_h, embedded))
        z_h = level(g, model, "H", z_h, z_l)
    cells = g.node("Slice", z_h, *(g.constant(f"slice_{value}", [value], np.int64) for value in (1, length, 1)))
    g.node("MatMul", cells, g.constant("lm_head", model.w["lm_head.weight"].T), outputs=["logits"])
    first = g.node("Gather", z_h, g.constant("first", 0, np.int64), axis=1)
    g.node("Add", g.matmul(first, "q_head", model.w["q_head.weight"]), g.constant("q_bias", model.w["q_head.bias"]), outputs=["q"])
    g.node("Identity", z_h, outputs=["next_h"])
    g.node("Identity", z_l, outputs=["next_l"])
    real = lambda name, *sizes: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", *sizes])
    states = lambda *names: [real(name, length, width) for name in names]
    inputs = [helper.make_tensor_value_info("tokens", TensorProto.INT64, ["N", model.cells]), *states("z_h", "z_l")]
    outputs = [real("logits", model.cells, model.vocabulary), real("q", len(model.w["q_head.bias"])), *states("next_h", "next_l")]
    graph = helper.make_graph(g.nodes, "segment", inputs, outputs, list(g.constants.values()))
    onnx = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
    checker.check_model(onnx, full_check=True)
    return onnx


def level(g, model, which, state, injection):
    x = g.node("Add", state, injection)
    for layer in range(model.config[f"{which}_layers"]):
        start = f"{which}_level.layers.{layer}"
        part = lambda name: model.w[f"{start}.{name}"]
        name = start.replace("H_level", "L_level") if model.shared else start
        x = rms(g, g.node("Add", x, attention(g, model, x, name, part)))
        both = g.matmul(x, f"{name}.gate_up", part("mlp.gate_up_proj.weight"))
        gate, up = f"gate_{len(g.nodes)}", f"up_{len(g.nodes)}"
        g.node("Split", both, outputs=[gate, up], axis=-1, num_outputs=2)
        gated = g.node("Mul", g.node("Mul", gate, g.node("Sigmoid", gate)), up)
        x = rms(g, g.node("Add", x, g.matmul(gated, f"{name}.down", part("mlp.down_proj.weight"))))
    return x


def attention(g, model, x, name, part):
    width, heads, length = model.width, model.heads, model.cells + 1
    size = width // heads
    # Scores in units of exponents: the division goes into the queries' rows.
    qkv = part("self_attn.qkv_proj.weight").copy()
    qkv[:width] /= math.sqrt(size)
    split = g.node("Reshape", g.matmul(x, f"{name}.qkv", qkv), g.shape(0, length, 3 * heads, size))
    heads_first = g.node("Transpose", split, perm=[0, 2, 1, 3])
    q, k, v = (f"{what}_{len(g.nodes)}" for what in "qkv")
    g.node("Split", heads_first, outputs=[q, k, v], axis=1, num_outputs=3)
    if model.config["pos_encodings"] == "rope":
        q, k = rotate(g, q, length, size), rotate(g, k, length, size)
    scores = g.node("MatMul", q, g.node("Transpose", k, perm=[0, 1, 3, 2]))
    if model.relation is not None:
        bias = part("self_attn.relation_bias")[:, model.relation]
        scores = g.node("Add", scores, g.constant(f"{name}.bias", bias))
    mixed = g.node("MatMul", g.node("Softmax", scores, axis=-1), v)
    joined = g.node("Reshape", g.node("Transpose", mixed, perm=[0, 2, 1, 3]), g.shape(0, length, width))
    return g.matmul(joined, f"{name}.out", part("self_attn.o_proj.weight"))


def rotate(g, x, length, size):
    half = size // 2
    angles = np.arange(length)[:, None] * 10000.0 ** (-np.arange(half) / half)
    twice = lambda table: np.concatenate([table, table], -1)
    low, high = f"low_{len(g.nodes)}", f"high_{len(g.nodes)}"
    g.node("Split", x, outputs=[low, high], axis=-1, num_outputs=2)
    turned = g.node("Concat", g.node("Neg", high), low, axis=-1)
    cos = g.node("Mul", x, g.constant("cos", twice(np.cos(angles))))
    return g.node("Add", cos, g.node("Mul", turned, g.constant("sin", twice(np.sin(angles)))))


def rms(g, x):
    mean = g.node("ReduceMean", g.node("Mul", x, x), g.constant("last", [-1], np.int64), keepdims=1)
    return g.node("Div", x, g.node("Sqrt", g.node("Add", mean, g.constant("epsilon", 1e-5))))

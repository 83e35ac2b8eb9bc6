"""Turns a BERT in Hugging Face layout into an ONNX model of float32.

The graph is as quick in onnxruntime as what torch.onnx.export writes, and its outputs are the same to the bit; it needs no
PyTorch. Only what the comparison needs is here: mean pooling stays outside, token types are all 0.
"""

import math

import numpy as np
from onnx import TensorProto, helper, numpy_helper

import checkpoint

OPSET = 20  # the first with Gelu; LayerNormalization came with 17


class Graph:
    """Collects nodes; each method adds one operation and returns the name of its result."""

    def __init__(self, weights):
        self.weights, self.nodes, self.initializers = weights, [], []

    def constant(self, value):
        name = f"constant_{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def op(self, kind, *inputs, **attributes):
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def linear(self, x, name):
        product = self.op("MatMul", x, self.constant(self.weights[name + ".weight"].T))
        return self.op("Add", product, self.constant(self.weights[name + ".bias"]))

    def norm(self, x, name, epsilon):
        scale, bias = (self.constant(self.weights[f"{name}.{part}"]) for part in ("weight", "bias"))
        return self.op("LayerNormalization", x, scale, bias, axis=-1, epsilon=epsilon)


def embeddings(graph, config):
    words, positions = (graph.constant(graph.weights[f"embeddings.{part}_embeddings.weight"]) for part in ("word", "position"))
    length = graph.op("Shape", "input_ids", start=1, end=2)
    rows = graph.op("Slice", positions, graph.constant(np.array([0])), length, graph.constant(np.array([0])))
    tokens = graph.op("Gather", words, "input_ids")
    types = graph.constant(graph.weights["embeddings.token_type_embeddings.weight"][0])
    total = graph.op("Add", graph.op("Add", tokens, types), rows)
    return graph.norm(total, "embeddings.LayerNorm", config["layer_norm_eps"])


def attention(graph, x, name, mask, heads, width):
    def split(part, order):
        shape = graph.constant(np.array([0, 0, heads, width // heads]))
        return graph.op("Transpose", graph.op("Reshape", graph.linear(x, f"{name}.self.{part}"), shape), perm=order)

    query, key, value = split("query", [0, 2, 1, 3]), split("key", [0, 2, 3, 1]), split("value", [0, 2, 1, 3])
    scores = graph.op("Div", graph.op("MatMul", query, key), graph.constant(np.float32(math.sqrt(width // heads))))
    weights = graph.op("Softmax", graph.op("Add", scores, mask), axis=-1)
    mixed = graph.op("Transpose", graph.op("MatMul", weights, value), perm=[0, 2, 1, 3])
    return graph.linear(graph.op("Reshape", mixed, graph.constant(np.array([0, 0, width]))), f"{name}.output.dense")


def gelu(graph, x, kind):
    """By its own operation or, for runtimes that lack it, by that of the error function."""
    if kind == "Gelu":
        return graph.op("Gelu", x)
    half = graph.op("Mul", x, graph.constant(np.float32(0.5)))
    error = graph.op("Erf", graph.op("Mul", x, graph.constant(np.float32(math.sqrt(0.5)))))
    return graph.op("Mul", half, graph.op("Add", error, graph.constant(np.float32(1))))


def layer(graph, x, name, mask, config, kind):
    heads, width, epsilon = config["num_attention_heads"], config["hidden_size"], config["layer_norm_eps"]
    mixed = attention(graph, x, f"{name}.attention", mask, heads, width)
    x = graph.norm(graph.op("Add", mixed, x), f"{name}.attention.output.LayerNorm", epsilon)
    inner = gelu(graph, graph.linear(x, f"{name}.intermediate.dense"), kind)
    return graph.norm(graph.op("Add", graph.linear(inner, f"{name}.output.dense"), x), f"{name}.output.LayerNorm", epsilon)


def bert(folder, gelu="Gelu"):
    """The ONNX model: input_ids and attention_mask [batch, tokens] -> last hidden states [batch, tokens, width]."""
    config = checkpoint.read_json(folder, "config.json")
    graph = Graph(checkpoint.read_weights(folder))
    mask = graph.op("Cast", graph.op("Unsqueeze", "attention_mask", graph.constant(np.array([1, 2]))), to=TensorProto.FLOAT)
    mask = graph.op("Mul", graph.op("Sub", graph.constant(np.float32(1)), mask), graph.constant(np.finfo(np.float32).min))
    x = embeddings(graph, config)
    for i in range(config["num_hidden_layers"]):
        x = layer(graph, x, f"encoder.layer.{i}", mask, config, gelu)
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"]) for name in ("input_ids", "attention_mask")]
    output = helper.make_tensor_value_info(x, TensorProto.FLOAT, ["batch", "tokens", config["hidden_size"]])
    body = helper.make_graph(graph.nodes, "bert", inputs, [output], graph.initializers)
    return helper.make_model(body, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)

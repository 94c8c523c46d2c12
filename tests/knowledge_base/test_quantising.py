"""Eight-bit matrices: nearly the same vectors, and a text's own vector whatever stands beside it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from knowledge_base.quantising import EVENNESS, WEIGHT_LEVELS, even_factors, quantise, rounded

WORDS, WIDTH, INNER = 50, 32, 48


class NumberTokenizer:
    """A text of numbers is its own word pieces."""

    def encode(self, text):
        return SimpleNamespace(ids=[int(word) for word in text.split()])


def small_model(path, loud_column=1.0):
    """Two matrices of the same input, a bias, a bend and a third matrix, the mean over a text's words; one column of the word table louder."""
    draw = np.random.default_rng(5)
    table = draw.normal(size=(WORDS, WIDTH)).astype(np.float32)
    table[:, 3] *= loud_column
    table[0] = 0
    values = {
        "table": table,
        "first": draw.normal(size=(WIDTH, INNER)).astype(np.float32),
        "beside": draw.normal(size=(WIDTH, INNER)).astype(np.float32),
        "second": draw.normal(size=(INNER, 16)).astype(np.float32),
        "bias": np.zeros(INNER, np.float32),
    }
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["words"]),
        helper.make_node("MatMul", ["words", "first"], ["inner"]),
        helper.make_node("MatMul", ["words", "beside"], ["other"]),
        helper.make_node("Sub", ["inner", "other"], ["between"]),
        helper.make_node("Add", ["between", "bias"], ["shifted"]),
        helper.make_node("Relu", ["shifted"], ["bent"]),
        helper.make_node("MatMul", ["bent", "second"], ["outer"]),
        helper.make_node("ReduceMean", ["outer"], ["vector"], axes=[1], keepdims=0),
    ]
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"]) for name in ("ids", "mask", "types")]
    output = helper.make_tensor_value_info("vector", TensorProto.FLOAT, ["texts", 16])
    graph = helper.make_graph(nodes, "small", inputs, [output], [numpy_helper.from_array(value, name) for name, value in values.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))


def vectors(path, ids):
    ids = np.array(ids, np.int64)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(["vector"], {"ids": ids, "mask": np.ones_like(ids), "types": np.zeros_like(ids)})[0]


def cosines(one, other):
    return (one * other).sum(axis=1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)


@pytest.fixture
def messages():
    draw = np.random.default_rng(8)
    return [" ".join(map(str, draw.integers(1, WORDS, 6))) for _ in range(40)]


@pytest.fixture
def asked(messages):
    return [[int(word) for word in message.split()] for message in messages]


@pytest.mark.parametrize("loud_column", [1.0, 30.0])
def test_vectors_stay_nearly_the_same(tmp_path, messages, asked, loud_column):
    """Also where one column is much larger than the others; the file is in eight bits."""
    path = tmp_path / "model.onnx"
    small_model(path, loud_column)
    before = vectors(path, asked)
    quantise(path, NumberTokenizer(), messages)
    assert cosines(before, vectors(path, asked)).min() > 0.998
    kept = {one.name: one.data_type for one in onnx.load(str(path)).graph.initializer}
    assert not {"first", "beside", "second", "table"} & set(kept)
    assert [name for name, kind in kept.items() if name.endswith("_matrix") and kind == TensorProto.INT8] == ["even_1_matrix", "even_2_matrix"]


def test_a_text_has_its_own_vector_whatever_stands_beside_it(tmp_path, messages, asked):
    """Batches may be cut anyhow. Nothing at all stays a number."""
    path = tmp_path / "model.onnx"
    small_model(path)
    quantise(path, NumberTokenizer(), messages)
    together = vectors(path, asked)
    alone = np.vstack([vectors(path, [ids]) for ids in asked])
    assert together == pytest.approx(alone, abs=1e-5)
    assert np.isfinite(vectors(path, [[0, 0, 0]])).all()


def test_a_loud_column_is_evened_out_against_its_weights():
    """Half of its loudness, about; and none where all are alike."""
    weights = np.ones((4, 3), np.float32)
    assert even_factors(np.ones(4, np.float32), [weights]) == pytest.approx(np.ones(4))
    factors = even_factors(np.array([1, 1, 1, 100], np.float32), [weights])
    assert factors[3] / factors[0] == pytest.approx(100**EVENNESS, rel=1e-4)
    assert np.log(factors).mean() == pytest.approx(0, abs=1e-6)


def test_what_one_weight_loses_the_others_make_good():
    """For inputs whose columns go together; where they do not, each weight is rounded to the nearest number."""
    draw = np.random.default_rng(3)
    weights = draw.uniform(-WEIGHT_LEVELS, WEIGHT_LEVELS, (24, 8)).astype(np.float32)
    inputs = draw.normal(size=(400, 6)) @ draw.normal(size=(6, 24)) + 0.1 * draw.normal(size=(400, 24))

    def lost(whole):
        return np.linalg.norm(inputs @ (weights - whole))

    assert lost(rounded(weights, inputs.T @ inputs)) < 0.4 * lost(np.rint(weights))
    assert (rounded(weights, np.eye(24)) == np.rint(weights)).all()
    assert np.abs(rounded(weights * 2, inputs.T @ inputs)).max() == WEIGHT_LEVELS

"""The multilayer perceptron: its passes against loops and finite differences, its arrays, its arguments."""

from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import pytest
from scipy.special import expit

from igviz.models.network import ACTIVATIONS, Network, checked_dtype
from igviz.models.vae_training import kl_of_units

SIZES = ((3, 4), (3, 5, 4), (3, 5, 2, 4), (3, 4, 2, 5, 6))
for_activations = pytest.mark.parametrize("activation", ACTIVATIONS)
for_sizes = pytest.mark.parametrize("sizes", SIZES, ids=str)


def generic(sizes, activation="tanh", dtype=np.float64) -> Network:
    """A network whose biases are not 0 either."""
    network = Network(sizes, activation, 3, dtype)
    network.parameters[:] = np.random.default_rng(5).normal(0.1, 0.7, network.parameters.size)
    return network


def rows(count: int, size: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.2, 1.0, (count, size))


# losses of outputs of shape (n, out), and their derivatives


def bernoulli(outputs):
    x = rows(*outputs.shape, seed=7) > 0.0
    return float(np.sum(np.logaddexp(0.0, outputs) - x * outputs)), expit(outputs) - x


def squared_error(outputs):
    gap = outputs - rows(*outputs.shape, seed=8)
    return 0.5 * float(np.sum(gap**2)), gap


def kl(outputs):
    mean, log_std = np.split(outputs, 2, axis=1)
    slope = np.concatenate([mean, np.exp(2.0 * log_std) - 1.0], axis=1)
    return float(np.sum(kl_of_units(mean, log_std))), slope


for_losses = pytest.mark.parametrize("loss", [bernoulli, squared_error, kl])


def differences(value, array: np.ndarray, h: float = 1e-3) -> np.ndarray:
    """Central differences of fourth order of value() by every number of an array, changed in place."""
    made = np.empty(array.shape)
    for index in np.ndindex(array.shape):
        kept, seen = array[index], {}
        for step in (-2, -1, 1, 2):
            array[index] = kept + step * h
            seen[step] = value()
        array[index] = kept
        made[index] = (8.0 * (seen[1] - seen[-1]) - (seen[2] - seen[-2])) / (12.0 * h)
    return made


# -- the passes against finite differences ---------------------------------------------------------------


@for_losses
@for_activations
@for_sizes
def test_gradients_are_those_of_finite_differences(sizes, activation, loss):
    sizes = (*sizes[:-1], 4)
    network, x = generic(sizes, activation), rows(6, 3)

    def value():
        return loss(network.forward(x).outputs)[0]

    trace = network.forward(x)
    found = network.backward(trace, loss(trace.outputs)[1])
    weights, biases = network.views(found.parameters)
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        for gradient, parameters in ((weight, network.weights[layer]), (bias, network.biases[layer])):
            numbers = differences(value, parameters)
            assert np.max(np.abs(numbers)) > 1e-2
            np.testing.assert_allclose(gradient, numbers, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(found.inputs, differences(value, x), rtol=1e-6, atol=1e-8)
    np.testing.assert_array_equal(network.pull(trace, loss(trace.outputs)[1]), found.inputs)


@for_activations
@pytest.mark.parametrize("sizes", [(2, 5, 4, 7), (7, 4, 5, 2), (3, 3), (2, 4, 2)], ids=str)
def test_the_jacobian_both_ways_round(sizes, activation):
    network, x = generic(sizes, activation), rows(5, sizes[0])
    jacobian = network.jacobian(x)
    assert jacobian.shape == (5, sizes[-1], sizes[0])
    for k, point in enumerate(x):
        for i in range(sizes[-1]):
            numbers = differences(lambda point=point, i=i: network(point)[i], point)
            np.testing.assert_allclose(jacobian[k, i], numbers, rtol=1e-6, atol=1e-8)
    trace, v, u = network.forward(x), rows(5, sizes[0], 2), rows(5, sizes[-1], 3)
    np.testing.assert_allclose(network.push(trace, v), np.einsum("noi,ni->no", jacobian, v), 1e-12, 1e-14)
    np.testing.assert_allclose(network.pull(trace, u), np.einsum("noi,no->ni", jacobian, u), 1e-12, 1e-14)


@pytest.mark.parametrize("sizes", [(2, 4, 3), (3, 4, 2)], ids=str)
@pytest.mark.parametrize("shape", [(), (1,), (4,), (2, 3), (0,)], ids=str)
def test_leading_axes(sizes, shape):
    network, x = generic(sizes), rows(math.prod(shape), sizes[0]).reshape(*shape, sizes[0])
    assert network(x).shape == (*shape, sizes[-1])
    assert network.jacobian(x).shape == (*shape, sizes[-1], sizes[0])
    for index in np.ndindex(shape):
        np.testing.assert_allclose(network(x)[index], network(x[index]), rtol=1e-13)
        np.testing.assert_allclose(network.jacobian(x)[index], network.jacobian(x[index]), rtol=1e-13)


# -- the passes against loops ----------------------------------------------------------------------------


def naive(network: Network, x: np.ndarray, slope: np.ndarray):
    """One row forwards and backwards by loops: what each layer got, outputs, ∂/∂s, ∂/∂W, ∂/∂b, ∂/∂x."""
    value = {"tanh": math.tanh, "softplus": lambda s: math.log1p(math.exp(s))}[network.activation]
    slope_of = {"tanh": lambda s: 1 / math.cosh(s) ** 2, "softplus": lambda s: 1 / (1 + math.exp(-s))}
    derivative, last = slope_of[network.activation], len(network.weights) - 1
    seen, sums = [list(x)], []
    for layer, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
        sums.append(
            [bias[j] + sum(a * weight[i, j] for i, a in enumerate(seen[-1])) for j in range(len(bias))]
        )
        seen.append([value(s) if layer < last else s for s in sums[-1]])
    by_s = [list(slope)]
    for layer in range(last, -1, -1):
        weight = network.weights[layer]
        down = [sum(weight[i, j] * d for j, d in enumerate(by_s[0])) for i in range(len(weight))]
        by_s.insert(
            0, [d * derivative(s) for d, s in zip(down, sums[layer - 1], strict=True)] if layer else down
        )
    by_x, *by_s = by_s
    by_weight = [[[a * d for d in ds] for a in inputs] for inputs, ds in zip(seen[:-1], by_s, strict=True)]
    return seen[:-1], seen[-1], by_s, by_weight, by_x


@for_activations
@for_sizes
def test_every_pass_is_that_of_loops(sizes, activation):
    network, x, slope = generic(sizes, activation), rows(4, sizes[0]), rows(4, sizes[-1], 2)
    trace = network.forward(x)
    found = network.backward(trace, slope)
    sums = [np.zeros(weight.shape) for weight in network.weights]
    for n in range(4):
        inputs, outputs, by_s, by_weight, by_x = naive(network, x[n], slope[n])
        np.testing.assert_allclose(trace.outputs[n], outputs, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(found.inputs[n], by_x, rtol=1e-12, atol=1e-14)
        alone = network.backward(network.forward(x[[n]]), slope[[n]])
        for layer in range(len(sizes) - 1):
            np.testing.assert_allclose(trace.inputs[layer][n], inputs[layer], rtol=1e-12, atol=1e-14)
            np.testing.assert_allclose(found.layers[layer][n], by_s[layer], rtol=1e-12, atol=1e-14)
            weights, biases = network.views(alone.parameters)
            np.testing.assert_allclose(weights[layer], by_weight[layer], rtol=1e-12, atol=1e-14)
            np.testing.assert_allclose(biases[layer], by_s[layer], rtol=1e-12, atol=1e-14)
            sums[layer] += by_weight[layer]
    for weight, total in zip(network.views(found.parameters)[0], sums, strict=True):
        np.testing.assert_allclose(weight, total, rtol=1e-12, atol=1e-14)


@for_activations
def test_the_gradient_of_each_example_from_what_the_layers_saw(activation):
    network, x, slope = generic((3, 5, 4, 2), activation), rows(6, 3), rows(6, 2, 2)
    trace = network.forward(x)
    found = network.backward(trace, slope)
    each = np.concatenate(
        [
            np.concatenate([np.einsum("ni,no->nio", a, s).reshape(6, -1), s], axis=1)
            for a, s in zip(trace.inputs, found.layers, strict=True)
        ],
        axis=1,
    )
    for n in range(6):
        alone = network.backward(network.forward(x[[n]]), slope[[n]]).parameters
        np.testing.assert_allclose(each[n], alone, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(each.sum(axis=0), found.parameters, rtol=1e-12, atol=1e-15)
    for a, s, weight in zip(trace.inputs, found.layers, network.views(found.parameters)[0], strict=True):
        np.testing.assert_allclose(a.T @ s, weight, rtol=1e-12)


# -- activations -----------------------------------------------------------------------------------------


def test_softplus_keeps_its_digits():
    s = np.concatenate([np.linspace(-700.0, 700.0, 71), np.linspace(-3.0, 3.0, 31)])
    softplus = ACTIVATIONS["softplus"]
    np.testing.assert_allclose(softplus.value(s), np.logaddexp(0.0, s), rtol=1e-15)
    np.testing.assert_allclose(softplus.derivative(softplus.value(s)), expit(s), rtol=5e-16, atol=1e-300)


def test_tanh_s_derivative_is_that_of_its_value():
    s = np.linspace(-3.0, 3.0, 31)
    np.testing.assert_allclose(ACTIVATIONS["tanh"].derivative(np.tanh(s)), np.cosh(s) ** -2.0, rtol=1e-13)


@for_activations
def test_activations_far_out_are_finite_and_flat(activation):
    value, derivative = ACTIVATIONS[activation]
    for dtype in (np.float32, np.float64):
        s = np.array([-1e4, -100.0, 100.0, 1e4], dtype)
        a = value(s)
        assert a.dtype == derivative(a).dtype == dtype
        assert np.all(np.isfinite(a))
        assert np.all((derivative(a) >= 0.0) & (derivative(a) <= 1.0))


def test_nan_comes_through():
    network = generic((3, 4, 2))
    x = rows(3, 3)
    x[1, 0] = np.nan
    assert np.array_equal(np.isnan(network(x)), np.array([[False] * 2, [True] * 2, [False] * 2]))


# -- float32 ---------------------------------------------------------------------------------------------


@for_activations
def test_float32_stays_float32_and_agrees(activation):
    double, single = (generic((3, 6, 5, 4), activation, dtype) for dtype in (np.float64, np.float32))
    x, slope, v = rows(7, 3), rows(7, 4, 2), rows(7, 3, 4)
    made = []
    for network in (double, single):
        trace = network.forward(x)  # float64 comes in, the network's own goes on
        back = network.backward(trace, slope)
        made.append(
            [
                *trace.inputs, trace.outputs, back.parameters, *back.layers, back.inputs, network(x),
                network.pull(trace, slope), network.push(trace, v), network.jacobian(x), network.parameters,
                *network.weights, *network.biases,
            ]
        )  # fmt: skip
    for wide, narrow in zip(*made, strict=True):
        assert (wide.dtype, narrow.dtype) == (np.float64, np.float32)
        np.testing.assert_allclose(narrow, wide, rtol=2e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, "float32", np.dtype("f4"), float, "f8"])
def test_dtypes_that_will_do(dtype):
    assert Network((2, 2), dtype=dtype).parameters.dtype == checked_dtype("x", dtype) == np.dtype(dtype)


# -- arrays ----------------------------------------------------------------------------------------------


def test_weights_and_biases_are_views_in_order():
    network = Network((2, 3, 4))
    network.parameters[:] = np.arange(25.0)
    np.testing.assert_array_equal(network.weights[0], [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(network.biases[0], [6, 7, 8])
    np.testing.assert_array_equal(network.weights[1], np.arange(9.0, 21.0).reshape(3, 4))
    np.testing.assert_array_equal(network.biases[1], [21, 22, 23, 24])
    network.biases[1][0] = -1.0
    assert network.parameters[21] == -1.0


@pytest.mark.parametrize("again", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_copy_s_weights_are_views_of_its_own_parameters(again):
    network = generic((2, 3, 4), "softplus")
    other = again(network)
    np.testing.assert_array_equal(other([0.3, 0.2]), network([0.3, 0.2]))
    before = network.parameters.copy()
    other.parameters[:] = 0.0
    assert np.all(other([0.3, 0.2]) == 0.0)
    np.testing.assert_array_equal(network.parameters, before)


def test_a_trace_stands_whatever_happens_to_what_was_passed():
    network, x, slope = generic((3, 4, 2)), rows(5, 3), rows(5, 2, 2)
    trace = network.forward(x)
    first = network.backward(trace, slope)
    kept = [array.copy() for array in (*trace.inputs, trace.outputs, slope)]
    x[:] = 0.0
    network.pull(trace, slope), network.push(trace, x)
    again = network.backward(trace, slope)
    np.testing.assert_array_equal(again.parameters, first.parameters)
    for array, before in zip((*trace.inputs, trace.outputs, slope), kept, strict=True):
        np.testing.assert_array_equal(array, before)
    for array in trace.inputs:
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1.0
    with pytest.raises(AttributeError):
        trace.outputs = slope


def test_what_a_call_returns_can_be_written_to():
    made = generic((3, 4, 2))(rows(5, 3))
    made += 1.0


def test_the_first_weights():
    network = Network((200, 100, 50), seed=4)
    assert all(np.all(bias == 0.0) for bias in network.biases)
    for weight in network.weights:
        assert np.std(weight) == pytest.approx(math.sqrt(2.0 / sum(weight.shape)), rel=0.03)
        assert abs(np.mean(weight)) < 5.0 * np.std(weight) / math.sqrt(weight.size)
    same = Network((200, 100, 50), seed=np.random.default_rng(4))
    np.testing.assert_array_equal(same.parameters, network.parameters)
    assert np.any(Network((200, 100, 50), seed=5).parameters != network.parameters)


# -- bad input -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sizes", [(), (3,), 3, None, "34", (3, 0), (3, -1, 2), (3, 2.5), (3, 2.0), (3, True), (3, None), (3, "2")]
)
def test_bad_sizes(sizes):
    with pytest.raises(ValueError, match=r"^Network: sizes must be two or more positive whole numbers, got "):
        Network(sizes)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"activation": "relu"}, "activation must be one of tanh, softplus, got 'relu'"),
        ({"activation": None}, "activation must be one of tanh, softplus, got None"),
        ({"activation": ["tanh"]}, r"activation must be one of tanh, softplus, got \['tanh'\]"),
        ({"dtype": np.float16}, "dtype must be float64 or float32, got"),
        ({"dtype": int}, "dtype must be float64 or float32, got <class 'int'>"),
        ({"dtype": "number"}, "dtype must be float64 or float32, got 'number'"),
        ({"dtype": None}, "dtype must be float64 or float32, got None"),
        ({"seed": -1}, "seed must be a whole number of at least 0, got -1"),
        ({"seed": None}, "seed must be a whole number of at least 0, got None"),
        ({"seed": 0.5}, "seed must be a whole number of at least 0, got 0.5"),
        ({"seed": True}, "seed must be a whole number of at least 0, got True"),
    ],
)
def test_bad_arguments(keywords, message):
    with pytest.raises(ValueError, match=f"^Network: {message}"):
        Network((3, 2), **keywords)


def test_bad_shapes():
    network = generic((3, 4, 2))
    trace = network.forward(rows(5, 3))
    for given in (np.ones(3), np.ones((5, 2)), np.ones((2, 5, 3)), 1.0):
        with pytest.raises(ValueError, match=r"^Network: inputs must have shape \(n, 3\), got shape "):
            network.forward(given)
    for call in (network, network.jacobian):
        for given in (1.0, np.ones((3, 4)), np.ones((3, 2)), []):
            with pytest.raises(
                ValueError, match=r"^Network: inputs must have shape \(\.\.\., 3\), got shape "
            ):
                call(given)
    for call in (network.backward, network.pull):
        for given in (np.ones((1, 2)), np.ones((5, 1)), np.ones(2), np.ones((5, 3))):
            with pytest.raises(ValueError, match=r"^Network: outputs must have shape \(5, 2\), got shape "):
                call(trace, given)
    with pytest.raises(ValueError, match=r"^Network: inputs must have shape \(5, 3\), got shape \(1, 3\)"):
        network.push(trace, np.ones((1, 3)))


@pytest.mark.parametrize("given", [[["a", "b", "c"]], [[1j, 0, 0]], None, [[1.0, 2.0, 3.0], [1.0]]])
def test_what_is_no_number(given):
    network = generic((3, 4, 2))
    for call in (network, network.forward, network.jacobian):
        with pytest.raises(ValueError, match=r"^Network: inputs must be an array of numbers, got "):
            call(given)


def test_whole_numbers_and_truth_values_are_numbers():
    network, x = generic((3, 4, 2)), np.array([[1, 0, 1], [0, 0, 1]])
    for dtype in (bool, np.int8, np.float32):
        np.testing.assert_array_equal(network(x.astype(dtype)), network(x.astype(float)))

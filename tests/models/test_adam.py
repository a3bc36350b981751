"""Adam against the paper's algorithm 1, transcribed line by line."""

from __future__ import annotations

import math

import numpy as np
import pytest

from igviz.models.adam import Adam


def algorithm_1(start, gradients, rate, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
    """Kingma and Ba (2015), algorithm 1, one number at a time; return where each step leads."""
    theta, m, v, path = list(start), [0.0] * len(start), [0.0] * len(start), []
    for t, gradient in enumerate(gradients, 1):
        for i, g in enumerate(map(float, gradient)):
            m[i] = beta_1 * m[i] + (1 - beta_1) * g
            v[i] = beta_2 * v[i] + (1 - beta_2) * g**2
            m_hat = m[i] / (1 - beta_1**t)
            v_hat = v[i] / (1 - beta_2**t)
            theta[i] = theta[i] - rate * m_hat / (math.sqrt(v_hat) + epsilon)
        path.append(list(theta))
    return np.array(path)


def gradients(steps=60):
    """Of very different sizes, down to that of ε."""
    rng = np.random.default_rng(2)
    return rng.normal(0.3, 1.0, (steps, 6)) * np.array([1e3, 1.0, 1e-3, 3e-8, 1e-8, 1e-10])


START = np.array([0.7, -1.3, 0.2, 0.1, 0.0, -0.4])


@pytest.mark.parametrize(
    ("keywords", "literal"),
    [
        ({}, {}),
        ({"decay": 0.5, "decay_of_squares": 0.95}, {"beta_1": 0.5, "beta_2": 0.95}),
        ({"decay": 0.0}, {"beta_1": 0.0}),
        ({"decay": 0, "decay_of_squares": 0, "floor": 0.1}, {"beta_1": 0.0, "beta_2": 0.0, "epsilon": 0.1}),
        ({"floor": 1e-3}, {"epsilon": 1e-3}),
    ],
)
def test_every_step_is_that_of_the_paper(keywords, literal):
    adam, parameters, path = Adam(6, **keywords), START.copy(), []
    for gradient in gradients():
        adam.step(parameters, gradient, 0.03)
        path.append(parameters.copy())
    expected = algorithm_1(START, gradients(), 0.03, **literal)
    assert adam.steps == 60
    np.testing.assert_allclose(np.diff(path, axis=0), np.diff(expected, axis=0), rtol=1e-10, atol=1e-15)
    np.testing.assert_allclose(path, expected, rtol=1e-12, atol=1e-15)


def test_the_first_step_has_epsilon_outside_the_correction():
    """With ε inside, the step for a gradient as small as ε would be 17 times smaller."""
    parameters = np.zeros(4)
    gradient = np.array([2.0, -1e-4, 1e-8, 0.0])
    Adam(4).step(parameters, gradient, 0.1)
    np.testing.assert_allclose(parameters, -0.1 * gradient / (np.abs(gradient) + 1e-8), rtol=1e-14)
    assert parameters[2] == pytest.approx(-0.05)
    assert parameters[3] == 0.0


def test_float32_stays_float32_and_agrees():
    adam, parameters = Adam(6, np.float32), START.astype(np.float32)
    memory = parameters, adam.mean, adam.square
    for gradient in gradients().astype(np.float32):
        adam.step(parameters, gradient, 0.03)
    assert parameters is memory[0] and adam.mean is memory[1] and adam.square is memory[2]
    assert all(array.dtype == np.float32 for array in memory)
    expected = algorithm_1(START, gradients().astype(np.float32), 0.03)[-1]
    np.testing.assert_allclose(parameters, expected, rtol=1e-5, atol=1e-5)


def test_the_gradient_is_left_alone():
    gradient = gradients()[0]
    kept, parameters = gradient.copy(), START.copy()
    Adam(6).step(parameters, gradient, 0.1)
    np.testing.assert_array_equal(gradient, kept)


def test_it_goes_downhill():
    adam, target, parameters = Adam(3), np.array([0.4, -2.0, 1.5]), np.zeros(3)
    for step in range(2000):
        adam.step(parameters, np.array([1.0, 30.0, 0.2]) * (parameters - target), 0.1 / (1 + 0.05 * step))
    np.testing.assert_allclose(parameters, target, atol=1e-6)


@pytest.mark.parametrize(
    ("size", "keywords", "message"),
    [
        (0, {}, "size must be a whole number of at least 1, got 0"),
        (2.5, {}, "size must be a whole number of at least 1, got 2.5"),
        (True, {}, "size must be a whole number of at least 1, got True"),
        (3, {"dtype": int}, "dtype must be float64 or float32, got <class 'int'>"),
        (3, {"decay": 1.0}, "decay must be at least 0 and below 1, got 1.0"),
        (3, {"decay": -0.1}, "decay must be at least 0 and below 1, got -0.1"),
        (3, {"decay": math.nan}, "decay must be at least 0 and below 1, got nan"),
        (3, {"decay": "0.9"}, "decay must be at least 0 and below 1, got '0.9'"),
        (3, {"decay_of_squares": 1}, "decay_of_squares must be at least 0 and below 1, got 1"),
        (3, {"decay_of_squares": False}, "decay_of_squares must be at least 0 and below 1, got False"),
        (3, {"floor": 0.0}, "floor must be a positive finite number, got 0.0"),
        (3, {"floor": math.inf}, "floor must be a positive finite number, got inf"),
    ],
)
def test_bad_arguments(size, keywords, message):
    with pytest.raises(ValueError, match=f"^Adam: {message}"):
        Adam(size, **keywords)


def test_arrays_that_were_not_announced():
    adam, right = Adam(3), np.ones(3)
    for wrong in (np.ones(1), np.ones((3, 3)), np.ones(3, np.float32), np.ones(3, int)):
        with pytest.raises(ValueError, match=r"^Adam: gradient must be of shape \(3,\) and float64, got "):
            adam.step(right, wrong, 0.1)
        with pytest.raises(ValueError, match=r"^Adam: parameters must be of shape \(3,\) and float64, got "):
            adam.step(wrong, right, 0.1)
    assert adam.steps == 0
    np.testing.assert_array_equal(right, 1.0)

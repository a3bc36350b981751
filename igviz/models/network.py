"""A small multilayer perceptron: its passes are written out, and what each layer saw can be had.

A layer maps its inputs a, shape (n, in), to s = a·W + b, and all but the last hand on activation(s). The
backward pass gives ∂/∂s of each layer beside the gradient of the parameters, which is aᵀ·∂/∂s. With the
inputs these are all that Kronecker-factored Fisher matrices are made of.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from igviz.inference.arguments import require, require_count

Function = Callable[[np.ndarray], np.ndarray]


class Activation(NamedTuple):
    """A smooth function and its derivative, the latter from the function's *value*, where it costs least."""

    value: Function
    derivative: Function  # of the value


def _softplus(s: np.ndarray) -> np.ndarray:
    # np.logaddexp has the same digits in five times the time
    return np.maximum(s, 0) + np.log1p(np.exp(-np.abs(s)))


ACTIVATIONS = {
    "tanh": Activation(np.tanh, lambda a: 1 - a * a),
    "softplus": Activation(_softplus, lambda a: -np.expm1(-a)),
}


class Trace(NamedTuple):
    """What a forward pass saw; no later change of what was passed reaches it."""

    inputs: tuple[np.ndarray, ...]  # of each layer, shape (n, in), read-only
    outputs: np.ndarray  # of the last, shape (n, out)


class Gradients(NamedTuple):
    """What a backward pass gives."""

    parameters: np.ndarray  # summed over the rows, flat as `Network.parameters`
    layers: tuple[np.ndarray, ...]  # ∂/∂s of each layer, shape (n, out)
    inputs: np.ndarray  # ∂ by the network's inputs, shape (n, in)


def checked_dtype(where: str, dtype: DTypeLike) -> np.dtype:
    """Return float64 or float32 as a dtype; raise ValueError for another one."""
    try:
        made = None if dtype is None else np.dtype(dtype)
    except TypeError:
        made = None
    if made is None or made not in (np.float32, np.float64):
        raise ValueError(f"{where}: dtype must be float64 or float32, got {dtype!r}")
    return made


class Network:
    """A multilayer perceptron of smooth activations and linear outputs.

    Parameters
    ----------
    sizes : sequence of int
        Numbers of inputs, of the units of each hidden layer, and of outputs.
    activation : {"tanh", "softplus"}
        Smooth: the metric of a network with kinks would jump.
    seed : int or numpy.random.Generator
        Of the weights, normal with variance 2 / (in + out) (Glorot and Bengio 2010, section 4.2.1). Biases
        start at 0.
    dtype : {numpy.float64, numpy.float32}
        Of the parameters and of everything computed. NaN and infinity pass through: where a training runs
        away is for its walk to say.

    Attributes
    ----------
    parameters : numpy.ndarray
        All numbers, flat: layer by layer the weights row by row, then the biases. `weights` and `biases` are
        views of it, shapes (in, out) and (out,).

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind or out of its range.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: str = "tanh",
        seed: int | np.random.Generator = 0,
        dtype: DTypeLike = np.float64,
    ) -> None:
        self.sizes = _checked_sizes(sizes)
        named = isinstance(activation, str) and activation in ACTIVATIONS
        require(named, "Network", "activation", activation, f"one of {', '.join(ACTIVATIONS)}")
        if not isinstance(seed, np.random.Generator):
            require_count("Network", "seed", seed)
        self.dtype = checked_dtype("Network", dtype)
        self.activation = activation
        pairs = zip(self.sizes[:-1], self.sizes[1:], strict=True)
        self._take(np.zeros(sum((rows + 1) * columns for rows, columns in pairs), self.dtype))
        rng = np.random.default_rng(seed)
        for weight in self.weights:
            weight[:] = rng.normal(0.0, math.sqrt(2.0 / sum(weight.shape)), weight.shape)

    def _take(self, parameters: np.ndarray) -> None:
        self.parameters, self._function = parameters, ACTIVATIONS[self.activation]
        self.weights, self.biases = self.views(parameters)

    def __getstate__(self) -> dict[str, Any]:
        """Return what is copied and pickled; the copy's weights are views of its own parameters then."""
        return {name: getattr(self, name) for name in ("sizes", "dtype", "activation", "parameters")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over what `__getstate__` returned."""
        self.sizes, self.dtype, self.activation = state["sizes"], state["dtype"], state["activation"]
        self._take(state["parameters"])

    def views(self, flat: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Return a flat array's parts that stand for weights, shapes (in, out), and biases, shapes (out,)."""
        weights, biases, start = [], [], 0
        for rows, columns in zip(self.sizes[:-1], self.sizes[1:], strict=True):
            weights.append(flat[start : start + rows * columns].reshape(rows, columns))
            start += rows * columns
            biases.append(flat[start : start + columns])
            start += columns
        return weights, biases

    def forward(self, inputs: ArrayLike) -> Trace:
        """Return what each layer saw of rows of inputs, shape (n, in), and the outputs, shape (n, out)."""
        seen = [self._rows("inputs", inputs, self.sizes[0]).copy()]
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            s = seen[-1] @ weight
            s += bias
            seen.append(self._function.value(s))
        outputs = seen[-1] @ self.weights[-1]
        outputs += self.biases[-1]
        for array in seen:
            array.flags.writeable = False
        return Trace(tuple(seen), outputs)

    def __call__(self, inputs: ArrayLike) -> np.ndarray:
        """Return the outputs, shape (..., out), of inputs, shape (..., in)."""
        given = self._points(inputs)
        made = self.forward(given.reshape(-1, self.sizes[0])).outputs
        return made.reshape(*given.shape[:-1], self.sizes[-1])

    def backward(self, trace: Trace, outputs: ArrayLike) -> Gradients:
        """Return the gradients of a loss whose gradient by the outputs is given.

        Parameters
        ----------
        trace : Trace
            Of the forward pass.
        outputs : array_like
            ∂loss/∂outputs, shape (n, out).

        Returns
        -------
        Gradients
            Of the parameters, of each layer's s = a·W + b, and of the inputs.
        """
        flat = np.empty_like(self.parameters)
        weights, biases = self.views(flat)
        layers: list[np.ndarray] = []
        s = self._rows("outputs", outputs, self.sizes[-1], len(trace.outputs))
        for layer in reversed(range(len(weights))):
            layers.append(s)
            seen = trace.inputs[layer]
            np.matmul(seen.T, s, out=weights[layer])
            np.add.reduce(s, axis=0, out=biases[layer])
            s = s @ self.weights[layer].T
            if layer:
                s *= self._function.derivative(seen)
        return Gradients(flat, tuple(reversed(layers)), s)

    def pull(self, trace: Trace, outputs: ArrayLike) -> np.ndarray:
        """Return ∂loss/∂inputs alone, shape (n, in): Jᵀ·∂loss/∂outputs."""
        s = self._rows("outputs", outputs, self.sizes[-1], len(trace.outputs))
        for layer in reversed(range(len(self.weights))):
            s = s @ self.weights[layer].T
            if layer:
                s *= self._function.derivative(trace.inputs[layer])
        return s

    def push(self, trace: Trace, inputs: ArrayLike) -> np.ndarray:
        """Return J·v, shape (n, out), of directions v of the inputs, shape (n, in)."""
        s = self._rows("inputs", inputs, self.sizes[0], len(trace.outputs))
        for layer, weight in enumerate(self.weights):
            if layer:
                s = s * self._function.derivative(trace.inputs[layer])
            s = s @ weight
        return s

    def jacobian(self, inputs: ArrayLike) -> np.ndarray:
        """Return ∂outputs/∂inputs, shape (..., out, in), at inputs, shape (..., in)."""
        given = self._points(inputs)
        trace = self.forward(given.reshape(-1, self.sizes[0]))
        count = len(trace.outputs)
        if self.sizes[0] <= self.sizes[-1]:  # the shorter way round
            made = [
                self.push(trace, np.broadcast_to(row, (count, self.sizes[0])))
                for row in np.eye(self.sizes[0])
            ]
            stacked = np.stack(made, axis=-1)
        else:
            made = [
                self.pull(trace, np.broadcast_to(row, (count, self.sizes[-1])))
                for row in np.eye(self.sizes[-1])
            ]
            stacked = np.stack(made, axis=-2)
        return stacked.reshape(*given.shape[:-1], self.sizes[-1], self.sizes[0])

    def _rows(self, name: str, given: ArrayLike, size: int, count: int | None = None) -> np.ndarray:
        rows = self._numbers(name, given)
        if rows.ndim != 2 or rows.shape[1] != size or count not in (None, len(rows)):
            wanted = f"({'n' if count is None else count}, {size})"
            raise ValueError(f"Network: {name} must have shape {wanted}, got shape {rows.shape}")
        return rows

    def _points(self, inputs: ArrayLike) -> np.ndarray:
        given = self._numbers("inputs", inputs)
        if given.ndim == 0 or given.shape[-1] != self.sizes[0]:
            raise ValueError(
                f"Network: inputs must have shape (..., {self.sizes[0]}), got shape {given.shape}"
            )
        return given

    def _numbers(self, name: str, given: ArrayLike) -> np.ndarray:
        try:
            array = np.asarray(given)
        except ValueError:  # a ragged list
            array = np.asarray(None)
        if array.dtype.kind not in "biuf":
            raise ValueError(f"Network: {name} must be an array of numbers, got {given!r}")
        return array.astype(self.dtype, copy=False)


def _checked_sizes(sizes: Sequence[int]) -> tuple[int, ...]:
    allowed = "two or more positive whole numbers"
    listed = isinstance(sizes, Sequence | np.ndarray) and not isinstance(sizes, str)
    require(listed and len(sizes) >= 2, "Network", "sizes", sizes, allowed)
    for size in sizes:
        whole = isinstance(size, int | np.integer) and not isinstance(size, bool)
        require(whole and size >= 1, "Network", "sizes", sizes, allowed)
    return tuple(int(size) for size in sizes)

"""The lecture's decoder as it stands, as trained and cured, with the codes of the training images."""

from __future__ import annotations

from functools import cached_property, lru_cache

import numpy as np
from scipy.interpolate import RectBivariateSpline
from scipy.special import entr, expit

from igviz.geometry.pullback import PullbackGeometry
from igviz.models.digit_vaes import lecture
from igviz.models.images import digits
from igviz.models.uncertain_decoder import UncertainDecoder
from igviz.models.vae import VAE

REACH = 5.0  # of the latent plane that is shown, to each side
WIDTHS = (0.2, 0.3, 0.5, 0.8)  # of the cure's kernel, latent units
WIDTH = 0.3
TABLE = np.linspace(-1.2 * REACH, 1.2 * REACH, 121)  # on which the coarse cure knows its trust


class Decoded:
    """A decoder and its geometry; ``width`` None is the one as trained, else its cure's kernel has it."""

    def __init__(self, vae: VAE, codes: np.ndarray, width: float | None) -> None:
        self.codes, self.width = codes, width
        self.decoder = vae.decoder if width is None else UncertainDecoder(vae.decoder, codes, width)
        self.geometry = PullbackGeometry(self.decoder)

    @cached_property
    def coarse_geometry(self) -> PullbackGeometry:
        """The geometry for a point that is being dragged: the cure from a table, which costs a tenth."""
        if isinstance(self.decoder, UncertainDecoder):
            return PullbackGeometry(Tabled(self.decoder))
        return self.geometry

    @cached_property
    def median_volume(self) -> float:
        """The median of the volume element over the codes."""
        return float(np.median(self.geometry.volume_element(self.codes)))

    def pixels(self, z: np.ndarray) -> np.ndarray:
        """Return the probability of each pixel to be black, shape (..., 64), at z, shape (..., 2)."""
        return expit(np.asarray(self.decoder(z), dtype=np.float64))

    def entropy(self, z: np.ndarray) -> np.ndarray:
        """Return the entropy of the pixels given z in nats, shape (...)."""
        p = self.pixels(z)
        return np.sum(entr(p) + entr(1.0 - p), axis=-1)


class Tabled:
    """A cured decoder of the plane whose trust is read from a table by cubic splines."""

    def __init__(self, cured: UncertainDecoder) -> None:
        self._decoder = cured.decoder
        trust = cured.trust(np.stack(np.meshgrid(TABLE, TABLE, indexing="ij"), axis=-1))
        # its log odds are smooth; where trust is 0 or 1 to the last digit they are large enough
        odds = np.log(np.maximum(trust, 1e-300)) - np.log(np.maximum(1.0 - trust, 1e-16))
        self._odds = RectBivariateSpline(TABLE, TABLE, odds)

    def __call__(self, latent: np.ndarray) -> np.ndarray:
        """Return logits, shape (..., 64), at z, shape (..., 2)."""
        odds = self._odds(latent[..., 0], latent[..., 1], grid=False)
        return expit(odds)[..., None] * self._decoder(latent)

    def jacobian(self, latent: np.ndarray) -> np.ndarray:
        """Return ∂logits/∂z, shape (..., 64, 2)."""
        place = latent[..., 0], latent[..., 1]
        odds = self._odds(*place, grid=False)
        slope = np.stack([self._odds(*place, dx=1 - k, dy=k, grid=False) for k in range(2)], axis=-1)
        slope *= (expit(odds) * expit(-odds))[..., None]
        made = expit(odds)[..., None, None] * self._decoder.jacobian(latent)
        return made + self._decoder(latent)[..., None] * slope[..., None, :]


def now(width: float | None = None) -> Decoded:
    """Return the decoder of the model that is shown now; what is kept is kept by its weights."""
    vae = lecture()
    weights = vae.encoder.parameters.tobytes(), vae.decoder.parameters.tobytes()
    return _kept(vae, *weights, width)


@lru_cache(maxsize=16)
def _kept(vae: VAE, encoder: bytes, _decoder: bytes, width: float | None) -> Decoded:
    return Decoded(vae, codes(vae, encoder), width)


@lru_cache(maxsize=4)
def codes(vae: VAE, _encoder: bytes) -> np.ndarray:
    """Return the means of q(z|x) of the training images, shape (n, 2)."""
    return vae.encode(digits().training).mean

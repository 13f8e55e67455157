"""Which ways of running a model were seen to give what the original gives, kept in the user's cache."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from typing import Any

from ragcli.cache import keep, recall
from ragcli.encoder.plan import Unsupported

# Least likeness to what the original gives in float32: a cosine, or a correlation.
SAME = 0.999
# Raised whenever the same weights may come out otherwise.
_VERSION = 1


class Proofs:
    """The proofs of one model, by the hash of its weights.

    ``original`` gives what the original makes of the probe; it is asked once, as it takes long.
    ``likeness``, between -1 and 1, holds what is made against that.
    """

    def __init__(
        self, weights: str, original: Callable[[], Sequence[Any]], likeness: Callable[[Any, Any], float]
    ) -> None:
        self._original, self._likeness = original, likeness
        self._name = f"encoders/{weights[:32]}.json"
        self._told = recall(self._name)

    def prove(self, runtime: str, make: Callable[[], Any]) -> None:
        """Raise ``Unsupported`` unless ``make``, which runs the probe, comes near enough to the original."""
        import numpy as np

        known = self._told.get("proved")
        known = known if isinstance(known, dict) else {}
        name = f"{_VERSION} numpy {np.__version__} {platform.machine()} {runtime}"
        alike = known.get(name)
        if not isinstance(alike, float) or not -1.001 <= alike <= 1.001:
            try:
                made = make()
            except (IndexError, RuntimeError, ValueError) as error:
                raise Unsupported(f"{runtime} cannot run it: {type(error).__name__}") from error
            alike = self._likeness(made, self._reference(made.shape))
            self._told["proved"] = {**known, name: alike}
            keep(self._name, self._told)
        if not alike >= SAME:
            raise Unsupported(f"{runtime} comes out otherwise (likeness {alike:.4f})")

    def _reference(self, shape: tuple[int, ...]) -> Any:
        """What the original made; anew where what is kept has another shape."""
        import numpy as np

        try:
            kept = np.array(self._told.get("reference"), dtype=np.float32)
        except (TypeError, ValueError):
            kept = np.zeros(0, dtype=np.float32)
        if kept.shape == shape and np.isfinite(kept).all():
            return kept
        self._told["reference"] = told = self._original()
        return np.array(told, dtype=np.float32)

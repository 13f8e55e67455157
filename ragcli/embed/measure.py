"""How near two vectors are, in the measure that their model was trained for.

A model's vectors are of unit length and compared by cosine, unless it asks for dot products or
Euclidean distances: then they are kept as long as the model makes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

Measure = Literal["cosine", "dot", "euclidean"]
# How a signature says it; that of vectors of unit length is older than the others.
_MARKS: dict[Measure, str] = {"cosine": "unit", "dot": "measure=dot", "euclidean": "measure=euclidean"}
_UNIT = 1e-3  # how far a length may lie from 1


def mark(measure: Measure) -> str:
    """What stands in a signature, between colons, for a measure."""
    return _MARKS[measure]


def measure_of(signature: str) -> Measure:
    """The measure of the vectors that a signature names; cosine where it names none."""
    parts = signature.split(":")
    return next((measure for measure, told in _MARKS.items() if told in parts), "cosine")


def closeness(measure: Measure, vectors: Vectors, vector: Vectors) -> Vectors:
    """Score of each of ``vectors`` (n, dim) against a vector of shape (dim,): higher is nearer.

    Cosines of vectors of unit length, dot products, or distances below zero, shape (n,).
    """
    import numpy as np

    if measure == "euclidean":
        distances: Vectors = np.linalg.norm(vectors - vector, axis=1)
        return 0.0 - distances  # 0 - 0 has no sign
    products: Vectors = vectors @ vector
    return products


def cosines(vectors: Vectors, vector: Vectors) -> Vectors:
    """Cosines between vectors of any length, shapes (n, dim) and (dim,); 0 where one has no length."""
    import numpy as np

    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(vector)
    lengths[lengths == 0] = 1
    found: Vectors = np.divide(vectors @ vector, lengths)
    return found


def is_sound(measure: Measure, vector: Vectors) -> bool:
    """Whether a vector can be one of such a model: finite, and of unit length where it must be."""
    import numpy as np

    length = float(np.linalg.norm(vector))
    return abs(length - 1) < _UNIT if measure == "cosine" else bool(np.isfinite(length))

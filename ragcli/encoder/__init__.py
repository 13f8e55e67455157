"""Transformer encoders without torch: BERT and its kin, read from a model's own folder.

``read_plan`` says how a model is made, or why it is left to sentence-transformers; ``Direct`` runs it in
numpy, at once and for little text; ``Compiled`` runs it in OpenVINO, for much.
"""

from ragcli.encoder.direct import Direct
from ragcli.encoder.plan import (
    LONGEST,
    Classifier,
    Head,
    Network,
    Plan,
    Unsupported,
    read_classifier,
    read_network,
    read_plan,
)
from ragcli.encoder.processor import multiplies_bfloat16
from ragcli.encoder.proofs import SAME, Proofs
from ragcli.encoder.weights import Weights

__all__ = [
    "LONGEST", "SAME", "Classifier", "Direct", "Head", "Network", "Plan", "Proofs", "Unsupported", "Weights",
    "multiplies_bfloat16", "read_classifier", "read_network", "read_plan",
]  # fmt: skip

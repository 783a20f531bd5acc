"""The heads by the name that `head` gives them; what they are must be known without torch, what they do is imported later.

A head is a class made of a task and a configuration (see `trainables.training.heads.head`).
"""

from typing import TYPE_CHECKING

import plugins
from plugins.registry import Registry

if TYPE_CHECKING:
    from trainables.training.heads.head import Head

HEADS: "Registry[type[Head]]" = plugins.HEADS
NEEDS_NUMBER = ("regression", "label_distribution")  # a number behind the label
NEEDS_ORDER = ("ordinal",)  # at least an order of the classes

for _name, _class in (
    ("classification", "Classification"),
    ("ordinal", "Ordinal"),
    ("regression", "Regression"),
    ("label_distribution", "LabelDistribution"),
):
    HEADS.add(_name, f"trainables.training.heads.{_name}:{_class}")

"""What a number says about the class, by Bayes' rule: which true numbers it may stand for, and how often those occur.

A model's number is off by an error; a class's share is what of all true numbers near it belongs to the class. Where a class is
a spike (all old people are exactly sixty), its border alone would almost never be reached.
"""

import torch
from torch import Tensor

from datasets.numbers import Number


def class_shares(number: Number, scaled: Tensor, width: float) -> Tensor:
    """Return for N scaled numbers the probabilities of the classes, N x (borders + 1).

    The error is normal, `width` standard deviations of the numbers wide; the prior is how often numbers occur in training.
    """
    known = torch.tensor(number.spread.values, device=scaled.device)
    prior = torch.tensor(number.spread.shares, device=scaled.device).log()
    distance = (scaled.unsqueeze(1) - number.scaled(known)) / width
    classes = torch.bucketize(known, torch.tensor(number.borders, device=scaled.device), right=True)
    members = torch.nn.functional.one_hot(classes, len(number.borders) + 1).float()
    shares: Tensor = (prior - distance.square() / 2).softmax(dim=1) @ members
    return shares

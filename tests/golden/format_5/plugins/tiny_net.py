"""Three convolutions: a backbone whose weights are small enough to be kept as test data."""

from typing import Annotated

from pydantic import Field
from torch import nn

from plugins import BACKBONES


@BACKBONES.register("tiny_net")
def tiny_net(classes: int, *, width: Annotated[int, Field(ge=4, le=64)] = 8) -> nn.Module:
    """Return three convolutions and a classifier."""

    def layer(inside: int, outside: int) -> list[nn.Module]:
        return [nn.Conv2d(inside, outside, 3, stride=2, padding=1), nn.BatchNorm2d(outside), nn.ReLU()]

    body = [*layer(3, width), *layer(width, width), *layer(width, width)]
    return nn.Sequential(*body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes))

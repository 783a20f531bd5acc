"""Classification: one output a class, by any of the losses of classes."""

from torch import Tensor

from trainables.training.heads.head import Head, Targets
from trainables.training.losses import class_loss


class Classification(Head):
    """Softmax over the classes."""

    @property
    def outputs(self) -> int:
        return self.task.classes

    def loss(self, outputs: Tensor, targets: Targets) -> Tensor:
        """Return the configured loss of every image."""
        return class_loss(self.config, outputs, targets.classes)

    def probabilities(self, outputs: Tensor) -> Tensor:
        return outputs.float().softmax(dim=1)

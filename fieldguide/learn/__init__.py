"""Networks: backbones, losses, the training loop, distillation, embedding."""

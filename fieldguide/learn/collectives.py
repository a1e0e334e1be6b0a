"""What processes that train together tell each other, so that they do what one would do with the whole batch.

Each computes the network on its part of a batch. The loss is of the whole one: all get the logits of all, so any loss
is exact, also one that is no mean over photos. Gradients are then summed. Every function here is called by all
processes at the same point, and does nothing where there is one alone.
"""

from collections.abc import Iterator

import torch
from lightning_fabric import Fabric
from timm.layers.norm_act import convert_sync_batchnorm
from torch import Tensor, distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm

from fieldguide.errors import ParamsError
from fieldguide.records.order import BatchOrder


def share_order(fabric: Fabric, order: BatchOrder) -> BatchOrder:
    """The batches of this process: its part of every batch. Raises ParamsError where a batch cannot be divided."""
    if order.batch_size % fabric.world_size:
        raise ParamsError(
            f"batch_size is {order.batch_size}, for {fabric.world_size} processes that train together; expected a "
            f"multiple of {fabric.world_size}"
        )
    return order.shared(fabric.global_rank, fabric.world_size)


def unite(fabric: Fabric, module: nn.Module) -> nn.Module:
    """The module, on its device, with the first process's weights in all; BatchNorm there sees the whole batch.

    (torch has no such BatchNorm for CPUs: on them each process normalises by its own part, see `average_statistics`.)
    """
    if fabric.world_size == 1:
        return module
    module = module.to(fabric.device)
    if fabric.device.type != "cpu":
        module = convert_sync_batchnorm(module)
    with torch.no_grad():
        for tensor in module.state_dict().values():
            # A copy, as tensors that are not contiguous cannot be sent.
            sent = tensor.contiguous()
            distributed.broadcast(sent, 0)
            tensor.copy_(sent)
    return module


def gather_batch(fabric: Fabric, logits: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
    """Logits [batch, num_outputs] and other tensors [batch, ...] of the whole batch, of which each process has a part.

    Gradients flow to this process's own logits alone; those of all sum up to the whole.
    """
    if fabric.world_size == 1:
        return logits, *others
    parts = _gather(fabric, logits.detach())
    parts[fabric.global_rank] = logits
    return torch.cat(parts), *(torch.cat(_gather(fabric, tensor)) for tensor in others)


def sum_gradients(fabric: Fabric, module: nn.Module) -> None:
    """Make each gradient the sum over all processes, in one message.

    Not DistributedDataParallel, which sends while it still computes: it needs to know at the start which weights learn
    and how often their gradients are added up.
    """
    if fabric.world_size > 1:
        _replace([parameter.grad for parameter in module.parameters() if parameter.grad is not None])


def average_statistics(fabric: Fabric, module: nn.Module) -> None:
    """Make the running statistics of every BatchNorm that moved the mean over all processes."""
    if fabric.world_size > 1:
        statistics = list(_moving_statistics(module))
        _replace(statistics)
        for tensor in statistics:
            tensor.div_(fabric.world_size)


def sum_numbers(fabric: Fabric, numbers: list[float]) -> list[float]:
    """The sums over all processes, in float64."""
    if fabric.world_size == 1:
        return numbers
    total = torch.tensor(numbers, dtype=torch.float64, device=fabric.device)
    distributed.all_reduce(total)
    return total.tolist()


def largest(fabric: Fabric, number: int) -> int:
    """The largest of all processes' numbers."""
    if fabric.world_size == 1:
        return number
    tensor = torch.tensor(number, device=fabric.device)
    distributed.all_reduce(tensor, distributed.ReduceOp.MAX)
    return int(tensor)


def _gather(fabric: Fabric, tensor: Tensor) -> list[Tensor]:
    parts = [torch.empty_like(tensor) for _ in range(fabric.world_size)]
    distributed.all_gather(parts, tensor.contiguous())
    return parts


def _replace(tensors: list[Tensor]) -> None:
    """Each by its sum over all processes."""
    if not tensors:
        return
    together = torch.cat([tensor.flatten() for tensor in tensors])
    distributed.all_reduce(together)
    for tensor, total in zip(tensors, together.split([tensor.numel() for tensor in tensors]), strict=True):
        tensor.copy_(total.view(tensor.shape))


def _moving_statistics(module: nn.Module) -> Iterator[Tensor]:
    for layer in module.modules():
        if isinstance(layer, _BatchNorm) and not isinstance(layer, nn.SyncBatchNorm) and layer.training:
            for tensor in (layer.running_mean, layer.running_var):
                if tensor is not None:
                    yield tensor

"""Curves for TensorBoard, where FIELDGUIDE_TENSORBOARD names a folder: the values that MLflow gets, at every epoch.

An environment variable and no parameter, because how a training is looked at must not train anything again, and DVC
hands its environment on to the stages. A relative folder starts at the main repository: the workspace of an experiment
is deleted. In it each pipeline run has a folder, and in that each stage.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Self

from fieldguide.track.address import project_root
from fieldguide.track.pipeline_run import current_pipeline_run

if TYPE_CHECKING:
    from tensorboardX import SummaryWriter

FOLDER_VARIABLE = "FIELDGUIDE_TENSORBOARD"


class Board:
    """The curves of one stage."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._writer: SummaryWriter | None = None

    @classmethod
    def of(cls, stage: str) -> Self | None:
        """That of a stage of this pipeline run; None if nobody asked for it."""
        folder = os.environ.get(FOLDER_VARIABLE)
        if not folder:
            return None
        run = current_pipeline_run()
        # Two runs of one title differ in their key.
        name = re.sub(r"[^\w.=, -]+", "_", f"{run.title} {run.key[:8]}")
        return cls(project_root() / folder / name / stage)

    def add(self, epoch: int, values: Mapping[str, float]) -> None:
        """Write one point of every curve, so that TensorBoard shows it at once."""
        if self._writer is None:
            from tensorboardX import SummaryWriter

            # A training that is taken up again repeats its last epoch at most, and the curve goes on from there. Files
            # are named by the second in which they begin, which is not enough to tell them apart.
            suffix = f".{os.getpid()}.{epoch}"
            self._writer = SummaryWriter(str(self.folder), purge_step=epoch, filename_suffix=suffix)
        for name, value in values.items():
            self._writer.add_scalar(name, float(value), epoch)
        self._writer.flush()

    def close(self) -> None:
        """Let go of the file."""
        if self._writer:
            self._writer.close()

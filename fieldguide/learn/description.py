"""model.json: everything about a network but its weights. Read by stages that never import PyTorch, too."""

from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, PositiveInt, ValidationError, model_validator

from fieldguide.errors import TrainingError
from fieldguide.files import write_json
from fieldguide.learn.params import Mean, Std

SPEC_FILE = "model.json"
BEST_FILE = "model.safetensors"
"""The best epoch's weights."""


class Pretrained(NamedTuple):
    """Weights that others trained, and that a network began with or was taught by."""

    network: str
    """`this network`, or `teacher NAME`."""
    source: str
    """The file, or the architecture of the hub's weights."""
    licence: str | None
    """As the parameters name it; None: not known."""


class TeacherOrigin(BaseModel):
    """What a teacher of a network is, and with what weights it began."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    architecture: str
    weights: dict[str, Any]


class NetworkSpec(BaseModel):
    """model.json; the fields are explained in docs/formats.md."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    architecture: str
    architecture_args: dict[str, Any]
    image_size: PositiveInt
    mean: Mean
    std: Std
    mask_padding: bool = False
    ranks: list[str]
    classes: dict[str, list[str]]
    region: str | None
    weights: dict[str, Any]
    seed: int
    num_parameters: PositiveInt
    epoch: int
    """The epoch (from 0) whose weights are in model.safetensors."""
    teachers: dict[str, TeacherOrigin] = {}
    """Of a student: those that it heard, by name."""

    @model_validator(mode="after")
    def _ranks_have_classes(self) -> "NetworkSpec":
        if not self.ranks or set(self.ranks) != set(self.classes):
            raise ValueError(f"classes of {sorted(self.classes)}, ranks {self.ranks}; expected the same")
        return self

    @property
    def num_outputs(self) -> int:
        """Classes of all ranks together."""
        return sum(self.class_counts)

    @property
    def class_counts(self) -> list[int]:
        """Number of classes of each rank, in the order of the outputs."""
        return [len(self.classes[rank]) for rank in self.ranks]

    def pretrained(self) -> list[Pretrained]:
        """The pretrained weights that went into this network, through other teachers and its own teachers, too."""
        origins = [("this network", self.architecture, self.weights)]
        origins += [(f"teacher {name}", origin.architecture, origin.weights) for name, origin in self.teachers.items()]
        found = []
        for network, architecture, weights in origins:
            while weights.get("from") == "teacher":
                weights = weights["weights"]
            if weights.get("from") != "scratch":
                source = Path(weights["path"]).name if "path" in weights else f"{architecture} of timm's hub"
                found.append(Pretrained(network, source, weights.get("licence")))
        return found

    @classmethod
    def read(cls, directory: Path) -> "NetworkSpec":
        """Read `directory/model.json`. Raises TrainingError if it is missing or malformed."""
        path = directory / SPEC_FILE
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            raise TrainingError(f"{path} is missing; has training finished?") from None
        except ValidationError as error:
            problem = error.errors()[0]
            raise TrainingError(f"{path}: {'.'.join(map(str, problem['loc']))}: {problem['msg']}") from None

    def write(self, directory: Path) -> None:
        """Write `directory/model.json`, whole or not at all: last of a network's files, so that it marks them whole."""
        write_json(directory / SPEC_FILE, self.model_dump(mode="json"))

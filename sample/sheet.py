"""Lays out the contact sheet of the sample: some photos of every species, with its names.

python -m sample.sheet --data data --out sample/contact-sheet.jpg
"""

import argparse
import io
import json
import tarfile
from collections import defaultdict
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from fieldguide.files import written_whole
from sample.flora import FLORA, Species

COLUMNS, CELL, GAP, LABEL = 6, (132, 99), 4, 190
INK, FAINT = "#20301c", "#6d7a66"


def draw_sheet(data: Path, truth: Path, out: Path) -> None:
    """Write a JPEG to `out` with the first kept photos of each species in `data`, most common species first."""
    chosen = _choose(data, truth)
    height = len(FLORA) * (CELL[1] + GAP) + GAP
    sheet = Image.new("RGB", (LABEL + COLUMNS * (CELL[0] + GAP) + GAP, height), "white")
    pen = ImageDraw.Draw(sheet)
    with tarfile.open(data / "photos.tar") as archive:
        for row, species in enumerate(FLORA):
            top = GAP + row * (CELL[1] + GAP)
            _write_names(pen, species, top)
            for column, member in enumerate(chosen[species.name]):
                stream = archive.extractfile(member)
                assert stream is not None, f"{member} is not a file"
                with Image.open(io.BytesIO(stream.read())) as image:
                    upright = ImageOps.exif_transpose(image).convert("RGB")
                cell = ImageOps.fit(upright, CELL, Image.Resampling.LANCZOS)
                sheet.paste(cell, (LABEL + GAP + column * (CELL[0] + GAP), top))
    with written_whole(out) as temporary:
        sheet.save(temporary, "JPEG", quality=82, optimize=True)


def _choose(data: Path, truth: Path) -> dict[str, list[str]]:
    """Member names of the first kept landscape-format photos of each species."""
    dropped = {row["id"] for row in json.loads(truth.read_text(encoding="utf-8"))["dropped"]}
    chosen: defaultdict[str, list[str]] = defaultdict(list)
    with tarfile.open(data / "photos.tar") as archive, (data / "observations.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            name, member = row["scientific_name"], row["url"].removeprefix("tar://").partition("::")[0]
            if row["id"] in dropped or len(chosen[name]) == COLUMNS:
                continue
            stream = archive.extractfile(member)
            assert stream is not None, f"{member} is not a file"
            with Image.open(stream) as image:
                if image.width >= image.height and image.mode == "RGB":
                    chosen[name].append(member)
    return chosen


def _write_names(pen: ImageDraw.ImageDraw, species: Species, top: int) -> None:
    for offset, size, color, text in (
        (26, 15, INK, species.name),
        (46, 13, FAINT, species.vernacular),
        (64, 11, FAINT, species.family),
    ):
        pen.text((12, top + offset), text, fill=color, font=ImageFont.load_default(size))


def main() -> None:
    """Read the options and draw."""
    parser = argparse.ArgumentParser(prog="python -m sample.sheet", description="Lay out the contact sheet.")
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--truth", type=Path, default=Path("sample/truth.json"))
    parser.add_argument("--out", type=Path, default=Path("sample/contact-sheet.jpg"))
    options = parser.parse_args()
    draw_sheet(options.data, options.truth, options.out)


if __name__ == "__main__":
    main()

"""The import closure, on small trees."""

from pathlib import Path

import pytest

from tests.pipeline.closure import expand_folders, import_closure, with_code_deps

TREE = {
    "fieldguide/__init__.py": '"""A package."""',
    "fieldguide/errors.py": "",
    "fieldguide/stage.py": "from fieldguide.track import stage_run as tracking",
    "fieldguide/track/stage_run.py": "import fieldguide.store\nimport fieldguide.errors",
    "fieldguide/store.py": "",
    "fieldguide/images/__init__.py": "import fieldguide.geometry",
    "fieldguide/images/decode.py": "from . import pixels\nfrom ..errors import Error",
    "fieldguide/images/pixels.py": "",
    "fieldguide/geometry.py": "import json, numpy",
    "fieldguide/report.py": "TEMPLATE = 'report.html.j2'\nSHOWN = 'index.html'",
    "fieldguide/report.html.j2": '{% include "part.html.j2" %}',
    "fieldguide/part.html.j2": "",
    "fieldguide/node.py": "from pathlib import Path\nWEB = Path(__file__).parents[1] / 'web'",
    "stages/__init__.py": "",
}
ALWAYS = {"stages/one.py"}


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("import json", set()),
        ("import fieldguide.errors", {"fieldguide/errors.py"}),
        ("from fieldguide import errors", {"fieldguide/errors.py"}),
        ("from fieldguide.errors import Error", {"fieldguide/errors.py"}),
        ("def one():\n    import fieldguide.errors", {"fieldguide/errors.py"}),
        ("import fieldguide.stage", {"fieldguide/stage.py"}),
        (
            "import fieldguide.report",
            {"fieldguide/report.py", "fieldguide/report.html.j2", "fieldguide/part.html.j2"},
        ),
        ("import fieldguide.node", {"fieldguide/node.py", "package-lock.json", "web"}),
        (
            "from fieldguide.images import decode",
            {
                "fieldguide/errors.py",
                "fieldguide/geometry.py",
                "fieldguide/images/__init__.py",
                "fieldguide/images/decode.py",
                "fieldguide/images/pixels.py",
            },
        ),
    ],
    ids=[
        "foreign",
        "plain",
        "module from package",
        "name from module",
        "in a function",
        "not tracking",
        "template",
        "folder of scripts",
        "relative",
    ],
)
def test_closure(tmp_path: Path, script: str, expected: set[str]):
    grow_tree(tmp_path, script)
    assert set(import_closure(tmp_path / "stages/one.py", tmp_path)) == expected | ALWAYS


def test_code_deps_are_written_and_all_else_is_kept(tmp_path: Path):
    grow_tree(tmp_path, "import fieldguide.errors\nfrom fieldguide.images import decode")
    before = """# Kept.
stages:
  one:
    deps: [
      data,
      # code
      fieldguide/gone.py, web,
    ]
    outs: [out]

  later:
    deps: [
      out,
      # code
    ]
"""
    after = with_code_deps(before, tmp_path)
    # images is used as a whole: its folder stands for its files.
    listed = "fieldguide/errors.py, fieldguide/geometry.py, fieldguide/images, stages/one.py,"
    assert after == before.replace("fieldguide/gone.py, web,", listed)
    assert with_code_deps(after, tmp_path) == after
    assert expand_folders(["data", *listed.rstrip(",").split(", ")], tmp_path) == set(
        import_closure(tmp_path / "stages/one.py", tmp_path)
    )


def grow_tree(root: Path, script: str) -> None:
    for name, content in {**TREE, "stages/one.py": script}.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")

"""Running JavaScript: errors become one line."""

from pathlib import Path

import pytest

from fieldguide.errors import ExportError
from fieldguide.export import node

WASM = node.WEB.parent / "node_modules" / "@tensorflow" / "tfjs-backend-wasm" / "wasm-out"
WASM_FILES = ("tfjs-backend-wasm.wasm", "tfjs-backend-wasm-simd.wasm")


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("throw new TypeError('no such thing')", "broken.mjs failed: TypeError: no such thing"),
        ("console.error('it is full'); process.exit(3)", "broken.mjs failed: it is full"),
        ("process.exit(3)", "broken.mjs failed: exit code 3"),
        ("import './absent.mjs'", r"broken\.mjs failed: Error \[ERR_MODULE_NOT_FOUND\]: .*absent\.mjs"),
    ],
)
def test_a_failing_script_is_one_line(script: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.mjs"
    path.write_text(script)
    with pytest.raises(ExportError, match=message) as raised:
        node.run_node(path)
    assert "\n" not in str(raised.value)


def test_what_a_script_prints_is_returned(tmp_path: Path) -> None:
    path = tmp_path / "say.mjs"
    path.write_text("console.log(process.argv[2])")
    assert node.run_node(path, "hello") == "hello\n"


def test_missing_packages_say_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "WEB", tmp_path / "web")
    with pytest.raises(ExportError, match="node_modules is missing; run `npm ci`"):
        node.build_page(tmp_path / "bundle", None)


def test_a_workspace_inside_the_repository_shares_its_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "node_modules" / "esbuild").mkdir(parents=True)
    web = tmp_path / ".dvc" / "tmp" / "exps" / "temp" / "web"
    web.mkdir(parents=True)
    (web / "build.mjs").write_text("console.log('built')")
    monkeypatch.setattr(node, "WEB", web)
    node.build_page(tmp_path / "bundle", None)


def test_the_page_is_written_below_the_folder_one_stands_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    node.build_page(Path("bundle"), None)
    written = {path.name for path in (tmp_path / "bundle").iterdir()}
    assert {"app.js", "worker.js", "index.html", "service_worker.js", *WASM_FILES} <= written


def test_the_webassembly_holds_the_kernels_that_are_needed_alone(tmp_path: Path) -> None:
    node.build_page(tmp_path / "whole", None)
    needs = {"kernels": ["Add", "FusedConv2D", "Mean"], "functions": ["add"], "categories": ["arithmetic"]}
    node.build_page(tmp_path / "cut", needs)
    for file in WASM_FILES:
        whole, cut = ((tmp_path / folder / file).read_bytes() for folder in ("whole", "cut"))
        assert whole == (WASM / file).read_bytes()
        assert len(cut) < 0.7 * len(whole)
        # `Mean` transposes in between: what a kernel calls is needed, too.
        assert all(name in cut for name in (b"FusedConv2D", b"Mean", b"Transpose", b"register_tensor"))
        assert b"Softmax" in whole
        assert b"Softmax" not in cut

"""Runs the guide's examples: every block marked `python run` in docs/methods.md and the pages beside this file.

    python docs/methods/run.py                 draw the guide's pictures anew, and what its blocks print
    python docs/methods/run.py --out FOLDER    write the pictures to another folder, and leave the pages as they are

Blocks share one namespace, page after page in PAGES' order. A block marked `text` that follows one is what it prints. A
picture that follows is what the block's last line gives: a Drawing, or the bytes of a PNG or SVG.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import io
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[1]
PAGES = ("methods.md", "methods/gradients.md", "methods/games.md", "methods/curvature.md", "methods/emap_dime.md",
         "methods/prediction.md", "methods/evaluation.md", "methods/alignment.md", "methods/debugging.md")  # fmt: skip
_BLOCK = re.compile(
    r"^```python run\n(.*?)^```\n(?:^```text\n(.*?)^```\n)?(?:\s*!\[[^\]]*\]\(([^)]+)\))?",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Example:
    """One block. printed: what it prints; picture: the file it draws; both as the page has them, None = not there"""

    page: str
    line: int
    code: str
    printed: str | None
    picture: str | None


def examples() -> Iterator[Example]:
    """All blocks of the guide, in the order in which they run."""
    for page in PAGES:
        path = DOCS / page
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        for found in _BLOCK.finditer(text):
            yield Example(page, text[: found.start()].count("\n") + 2, *found.groups())


def run(example: Example, names: dict[str, Any], out: Path) -> str:
    """Execute one block in the namespace; its picture, if any, is written to `out`. Returns what it printed."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        _run(example, names, out)
    return printed.getvalue()


def show(example: Example, printed: str) -> None:
    """Write what a block printed below it, where its page has a place for that."""
    if example.printed is not None:
        path, block = DOCS / example.page, f"```python run\n{example.code}```\n```text\n"
        text = path.read_text(encoding="utf-8").replace(f"{block}{example.printed}```", f"{block}{printed}```")
        path.write_text(text, encoding="utf-8")


def _run(example: Example, names: dict[str, Any], out: Path) -> None:
    tree = ast.parse(example.code)
    # Line numbers of the page, so that a traceback names the place.
    ast.increment_lineno(tree, example.line - 1)
    last = tree.body.pop() if example.picture else None
    exec(compile(tree, example.page, "exec"), names)  # noqa: S102 - the guide's own code
    if example.picture is None:
        return
    if not isinstance(last, ast.Expr):
        raise TypeError(f"{example.page}, line {example.line}: the block's last line must be the picture")
    drawn = eval(compile(ast.Expression(last.value), example.page, "eval"), names)  # noqa: S307 - the guide's own code
    name = Path(example.picture).name
    if not isinstance(drawn, bytes):
        drawn = drawn.svg() if name.endswith(".svg") else drawn.png()
    (out / name).write_bytes(drawn)


def main() -> None:
    """Run everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="where pictures are written; default: docs/pictures/methods")
    chosen = parser.parse_args().out
    out = (chosen or DOCS / "pictures" / "methods").resolve()
    out.mkdir(parents=True, exist_ok=True)
    # The examples name files of the project and import it, wherever this is started.
    os.chdir(DOCS.parent)
    sys.path.insert(0, str(DOCS.parent))
    names: dict[str, Any] = {}
    for example in examples():
        printed = run(example, names, out)
        sys.stdout.write(printed)
        if chosen is None:
            show(example, printed)


if __name__ == "__main__":
    main()

"""What a dataset folder holds, as one hash: results computed from it are never mixed with those of a changed one."""

from __future__ import annotations

import hashlib
from pathlib import Path

#: Files that say what the data are; they are hashed whole. Of the others (pictures, sound) path and size count.
INDEX_ENDINGS = frozenset({".json", ".jsonl", ".csv", ".tsv", ".txt", ".xml"})


def fingerprint(root: Path) -> str:
    """SHA-256 over all files below `root` in the order of their paths; hidden files and links are left out."""
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        if any(part.startswith(".") for part in relative.parts) or path.is_symlink() or not path.is_file():
            continue
        digest.update(f"{relative.as_posix()}\0{path.stat().st_size}\0".encode())
        if path.suffix.lower() in INDEX_ENDINGS:
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()

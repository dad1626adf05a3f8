"""Any text as LaTeX that every engine prints and none executes: ASCII only, whatever the encoding of the document."""

from __future__ import annotations

import re
import unicodedata

#: What LaTeX reads as a command, what it would join to something else, and what a row of a table must not begin with
SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "{''}",
    "`": "{`}",
    "'": "{'}",
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
}
#: The combining mark -> the accent command; what has none here is printed without its mark
ACCENTS = {
    "\u0300": "`",
    "\u0301": "'",
    "\u0302": "^",
    "\u0303": "~",
    "\u0304": "=",
    "\u0306": "u",
    "\u0307": ".",
    "\u0308": '"',
    "\u030a": "r",
    "\u030b": "H",
    "\u030c": "v",
    "\u0327": "c",
}
SIGNS = {
    "\u2013": r"\textendash{}",
    "\u2014": r"\textemdash{}",
    "\u2018": "`",
    "\u2019": "'",
    "\u201c": "``",
    "\u201d": "''",
    "\u201e": "{,,}",
    "\u2044": "/",
    "\u2026": r"\ldots{}",
    "\u00a0": "~",
    "\u00d7": r"\ensuremath{\times}",
    "\u00b1": r"\ensuremath{\pm}",
    "\u2212": r"\ensuremath{-}",
    "\u00b7": r"\ensuremath{\cdot}",
    "\u00b9": r"\ensuremath{^1}",
    "\u00b2": r"\ensuremath{^2}",
    "\u00b3": r"\ensuremath{^3}",
    "\u00b5": r"\ensuremath{\mu}",
    "\u00b0": r"\ensuremath{^\circ}",
    "\u2264": r"\ensuremath{\leq}",
    "\u2265": r"\ensuremath{\geq}",
    "\u2260": r"\ensuremath{\neq}",
    "\u2248": r"\ensuremath{\approx}",
    "\u2192": r"\ensuremath{\rightarrow}",
    "\u2190": r"\ensuremath{\leftarrow}",
    "\u221e": r"\ensuremath{\infty}",
    "\u00df": r"\ss{}",
    "\u00e6": r"\ae{}",
    "\u00c6": r"\AE{}",
    "\u0153": r"\oe{}",
    "\u0152": r"\OE{}",
    "\u00f8": r"\o{}",
    "\u00d8": r"\O{}",
    "\u0142": r"\l{}",
    "\u0141": r"\L{}",
    "\u00a7": r"\S{}",
    "\u00a3": r"\pounds{}",
    "\u00a9": r"\copyright{}",
    "\u00ab": r"\ensuremath{\ll}",
    "\u00bb": r"\ensuremath{\gg}",
}
#: Greek letters with a command of their own, small and capital; the others look like Latin ones
CAPITAL_GREEK = {"gamma", "delta", "theta", "lambda", "xi", "pi", "sigma", "upsilon", "phi", "psi", "omega"}
GREEK = CAPITAL_GREEK | {"alpha", "beta", "epsilon", "zeta", "eta", "iota", "kappa", "mu", "nu", "rho", "tau", "chi"}


def escaped(text: str) -> str:
    """The text as LaTeX on one line. A letter that cannot be set is named by its number: [U+4E2D]."""
    letters = [_letter(letter) for letter in " ".join(unicodedata.normalize("NFC", text).split())]
    # Two hyphens would become a dash.
    return re.sub("-(?=-)", "-{}", "".join(letters))


def _letter(letter: str) -> str:
    if letter in SPECIAL:
        return SPECIAL[letter]
    if letter in SIGNS:
        return SIGNS[letter]
    if " " <= letter <= "~":
        return letter
    return _decomposed(letter) or _greek(letter) or f"{{[}}U+{ord(letter):04X}{{]}}"


def _decomposed(letter: str) -> str:
    """A letter with its marks, or a ligature, fraction or full-width form as what it consists of."""
    parts = list(unicodedata.normalize("NFKD", letter))
    base, marks = parts[0], parts[1:]
    if len(marks) == 1 and marks[0] in ACCENTS and base.isascii() and base.isalpha():
        return rf"\{ACCENTS[marks[0]]}{{{base}}}"
    # A mark without a command is dropped.
    rest = [SPECIAL.get(each, SIGNS.get(each, each)) for each in parts if not unicodedata.combining(each)]
    whole = "".join(rest)
    return whole if whole.isascii() and whole.isprintable() and base != letter else ""


def _greek(letter: str) -> str:
    words = unicodedata.name(letter, "").lower().split()
    if len(words) != 4 or words[0] != "greek":
        return ""
    _, size, _, name = words
    known = GREEK if size == "small" else CAPITAL_GREEK
    return rf"\ensuremath{{\{name if size == 'small' else name.capitalize()}}}" if name in known else ""

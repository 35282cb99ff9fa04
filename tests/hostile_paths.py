"""Names that lead somewhere else, as attackers write them: for whatever takes a path from outside."""

from itertools import product

_UPS = ("../", "..\\", ".././", "./../", "..//", "a/../../", "a/b/../../../", "..\\/")
_TARGETS = ("etc/passwd", "secret.txt", "x/../secret.txt")

RELATIVE = [up * depth + target for up, depth, target in product(_UPS, (1, 7), _TARGETS)]
"""Relative names that climb."""

ABSOLUTE = [
    "/etc/passwd", "//etc/passwd", "/proc/self/environ", "/dev/stdin", "/dev/zero", "/proc/1/root/etc/passwd",
    "/./etc/passwd", "/tmp/../etc/passwd", "/", "//", "/..", "/../..",
]  # fmt: skip
"""Absolute names."""

STRANGE = [
    "..", "../", "..\\", "\\..\\..", "a/..", "a/../..", "a/b/../../..", "~", "~/x", "~root/x", "~/../x",
    "a\0b", "\0", "../\0", "..\0/x", "a/..\\b", "pkg/..", "....//../x", "%2e%2e/../x", "..;/../x",
    "x/" + "../" * 200 + "etc/passwd", "", "../" * 1000, "x" * 5000,
]  # fmt: skip
"""Ends, homes, NULs, halves of escapes, lengths."""

ESCAPES = [*RELATIVE, *ABSOLUTE, *STRANGE]
"""All of them: more than sixty."""

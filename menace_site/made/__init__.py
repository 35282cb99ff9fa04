"""Made rows for benchmarks: engines called `bench-…` with as many ended cycles as wanted."""

from menace_site.made.rows import make, remove

__all__ = ["make", "remove"]

"""Finding the modules of a checkout that nothing live reaches."""

from orphans.discovery.recursive import (
    discover_isolated_modules,
    discover_recursive_orphans,
    recursive_orphans,
)
from orphans.discovery.scan import scan
from orphans.domain.findings import Reading

__all__ = ["Reading", "discover_isolated_modules", "discover_recursive_orphans", "recursive_orphans", "scan"]

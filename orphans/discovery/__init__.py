"""Finding the modules of a checkout that nothing live reaches."""

from orphans.discovery.scan import scan
from orphans.discovery.verdicts import Reading

__all__ = ["Reading", "scan"]

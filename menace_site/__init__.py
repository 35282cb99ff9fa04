"""The site: settings, URLs, supervisor and everything that joins the apps."""

__version__ = "0.1.0"

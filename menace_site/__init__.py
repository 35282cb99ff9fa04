"""The site: settings, URLs, supervisor and everything that joins the apps."""

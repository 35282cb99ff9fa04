"""Commands that concern the whole site, one module each."""

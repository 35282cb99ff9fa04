"""The one door through which a bot's code is run."""

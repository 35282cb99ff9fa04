"""The verdicts on a challenger, in words that are stored, shown and compared."""

from typing import Final

PROMOTABLE: Final = "promotable"
NO_GAIN: Final = "no significant gain"
NO_CHALLENGER: Final = "no challenger: the search found nothing better than what is deployed"
CONTRADICTED: Final = "no promotion: a significant gain, but the other evidence speaks against it"
NEVER_PAYS: Final = "a significant gain, but it costs more than it is worth"

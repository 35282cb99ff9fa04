"""Two small bots that come with the product: data to be copied, never imported from here."""

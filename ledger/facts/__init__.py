"""Facts: production, stock, presence, money, measurements; many at once, in blocks."""

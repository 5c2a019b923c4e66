"""Put a function to its contract: draw cases, compare, shrink, name the mistake, say it."""

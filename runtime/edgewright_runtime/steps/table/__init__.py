"""Steps of rows of a table."""

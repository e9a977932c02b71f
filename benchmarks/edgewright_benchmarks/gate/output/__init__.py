"""A comparison as files and lines that CI systems read."""

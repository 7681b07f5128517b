"""One file a table: its pure function, or its one SELECT."""

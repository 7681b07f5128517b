"""What a contract may name as its engine: how candidates are searched and the best is fitted."""

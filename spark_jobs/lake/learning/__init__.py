"""Models: search, training, evaluation, the store of their files, and scoring."""

"""One file a model: build_estimator()."""

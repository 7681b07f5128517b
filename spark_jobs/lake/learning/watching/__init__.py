"""Watches a model that serves, and says when it should learn anew."""

"""Rows that are not published: put aside, kept, looked at, corrected, given up, and judged again."""

"""Measurements, side by side in one run; `python -m benchmarks` runs them all.

Nothing here is a test: the machine decides the figures, docs/performance.md says which machine.
"""

"""Arithmetic audit: does every printed figure follow from the printed figures it rests on?

Pure: figures and relations in, verdicts out. `figures` and `units` say what a printed number
stands for, `relations` what was claimed, `formulas` and `interval` compute it, `verdict` names
the outcomes and `audit` decides them.

Source: docs/data-folder.md; the README of the worked example for rounding and parameters.
"""

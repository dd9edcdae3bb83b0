"""Arithmetic audit: does every printed figure follow from the printed figures it rests on?

Figures and relations in, verdicts out; no ledger is needed. `figures` and `units` say what a
printed number stands for, `relations` what was claimed, `formulas` and `interval` compute it,
`verdict` names the outcomes and `audit` decides them. Only `rows` reads files.

Source: docs/data-folder.md; the README of the worked example for rounding and parameters.
"""

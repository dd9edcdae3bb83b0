"""Data folders typed by hand: strict reading of tables, reject files, and what rows mean.

`problems` and `reasons` say what is wrong; `numbers`, `dates` and `texts` read one cell; `records`
cuts a file into records; `tables` reads a table; `dataset` reads the folder; `hierarchy` checks
references between rows; `rejects` writes what was refused.
"""

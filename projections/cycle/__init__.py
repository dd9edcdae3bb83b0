"""What is known of a performance cycle: definitions, objectives, targets, results, figures.

`facts` folds events into histories; `knowledge` cuts them by knowledge date; the questions
(replay, explain, diff) stand in modules of their own.
"""

"""The command line: commands, texts in Italian and English, output on screen and to files.

The top layer: it imports every other one, and none imports it.
"""

"""The commands that work on a configuration: a module for each command, which is loaded when the command runs.

`entry.py` has the table of all commands. What only commands use is here too.
"""

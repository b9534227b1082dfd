"""Attacks on what is sealed and signed: what is done to it, how often, and that it is refused.

`material` makes records to attack, `message` takes a sealed message apart, the modules named for what
they attack give the cases, `trying` carries them out, `table` is what docs/attacks.md shows.
"""

"""Looking inside a champion: its network drawn, its scores plotted, one page of it all, and a summary in a terminal.

Everything here turns a champion file and recorded numbers into text. A champion may come from a stranger, so every
word of it goes through `evo.inspect.text` before it is shown.
"""

"""Ways to a node. A further kind is a module here, a rank in ``way.py`` and a line in ``known.py``."""

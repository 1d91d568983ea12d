"""What each homework asks and its public checks, one module per homework with a tuple `QUESTIONS`.

They are in the package so that `check("bpe_merge", my_function)` works in a notebook with no file beside it. What must
not be known (more cases, the salt of the random ones) is in `homework/NAME/hidden.py`, outside of the package.
"""

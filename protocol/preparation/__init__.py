"""From columns as people have them to the columns of numbers that a model is made of.

`columns` is what a request declares, `tables` rows as read. `design` makes a model's columns of rows,
`combination` the same out of the parts of columns (`layout`) that an owner's statistic is over. `bases` are
curves and products of columns, `curves` computes them: of rows alone, since no sum of parts is a curve.
"""

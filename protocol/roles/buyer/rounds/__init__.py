"""The model buyer in a training whose rounds are checked: it answers for masked numbers, and names nobody."""

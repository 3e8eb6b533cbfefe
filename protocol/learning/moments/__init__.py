"""One exchange with the key's holder that gives everybody the encrypted products of the models' weights."""

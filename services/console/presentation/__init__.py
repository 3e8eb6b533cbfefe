"""How the console shows things: templates, languages, formats, labels, assets."""

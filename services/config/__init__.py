"""The configuration files of the daemons."""

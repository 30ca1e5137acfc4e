"""Control problems: a network steers a system, one problem per file."""

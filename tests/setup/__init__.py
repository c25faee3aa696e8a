"""The set-up: packages, embedded server, commands, start-up checks."""

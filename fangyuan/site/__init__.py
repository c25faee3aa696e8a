"""The top room: settings, URLs, navigation and the pages that bring rooms together."""

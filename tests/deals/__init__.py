"""Real deals through the importer and the metrics over them."""

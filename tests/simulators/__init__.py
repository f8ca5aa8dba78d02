"""Small servers that behave as Zalo's and Meta's documents say. They share no code with the connectors."""

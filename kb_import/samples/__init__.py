"""Sample question banks, one per subject field, as the departments of the province would send them."""

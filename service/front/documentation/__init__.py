"""What the API's own page says, beside what the routes say themselves."""

"""A service for SavedModels: takes uploads, checks them, and answers predictions in batches."""

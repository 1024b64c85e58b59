"""Results of finite shots."""

"""The routes of the explorer, `/api/v1/{store}/…`, a module per subject."""

"""What a trained model does for people: vectors, taxa, outliers."""

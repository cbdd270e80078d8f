"""What influence functions do: estimate influence, retrain the counterfactual, compare the two step by step."""

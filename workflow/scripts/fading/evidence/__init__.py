"""What numbers support: rank correlations, intervals, tables, and claims with their verdicts.

Here belongs what holds for any experiment's numbers. What one experiment alone makes of its own is with it.
"""

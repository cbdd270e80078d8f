"""The assumptions of influence functions, each with the statistics that would show it broken."""

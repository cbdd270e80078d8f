"""The page that people read: a study's question, answers, figures and tables as one HTML file.

Here belongs how the page is made of finished results. What is claimed and judged is in evidence, how figures are drawn
in figures; the page's words, looks and behaviour are in workflow/report.
"""

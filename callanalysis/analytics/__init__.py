"""Figures from rows: ratios with numerator, denominator and interval, means with n; no database, no page."""

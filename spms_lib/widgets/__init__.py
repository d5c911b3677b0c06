"""Panels for JupyterLab: each a thin face on plain functions, and each only proposes."""

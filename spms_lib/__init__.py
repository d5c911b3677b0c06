"""Sales planning workbench: goals, forecasts, reconciliation, pay and review in one cycle.

Importing this package loads nothing heavy; import the module you need, such as
`from spms_lib.hierarchy import Hierarchy`.
"""

__version__ = "0.1.0"

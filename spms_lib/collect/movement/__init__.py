"""Movement between two snapshots: of the pipeline, deal by deal, and of what forecasters said."""

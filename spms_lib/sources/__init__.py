"""Tables from files, workbooks and databases, with a finding for every row that cannot be used."""

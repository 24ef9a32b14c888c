"""The report of a study that another program ran: read it, turn it into tables, and say what they cannot show."""

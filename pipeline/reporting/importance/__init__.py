"""What of the search mattered: the parts of the section of that name."""

"""Tables in, findings and charts out: data frames and plain values only, so editing a report never retrains."""

"""What to do next. Each kind of advice is worked out in one place, so that sections which give it cannot disagree."""

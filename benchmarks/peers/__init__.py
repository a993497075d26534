"""What measures what people would write or pick instead, from its public interfaces alone."""

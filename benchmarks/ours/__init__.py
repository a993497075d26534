"""What measures imgcls; each module is a process of its own and prints one line of JSON."""

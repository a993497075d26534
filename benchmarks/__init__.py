"""What proves the speed claims: imgcls and its peers, measured side by side on one machine."""

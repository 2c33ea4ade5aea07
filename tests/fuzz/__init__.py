"""Bad input, made by the thousand: each must be refused in words that name it."""

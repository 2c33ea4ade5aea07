"""What a person types: the commands of this package, their words, their endings."""

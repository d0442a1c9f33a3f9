"""The networks, one paper equation (or figure) a file."""

"""A forecaster that is told what stands where: it shows that the yard's rules can be learned, before any pixel is involved."""

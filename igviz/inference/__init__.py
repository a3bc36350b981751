"""Walking on the surface: the evidence lower bound, its gradients, and the ways uphill."""

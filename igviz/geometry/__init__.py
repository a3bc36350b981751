"""Points and rulers: families of distributions, their Fisher metric, distances and geodesics."""

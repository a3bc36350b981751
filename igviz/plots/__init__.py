"""Still pictures: one visual language for every lecture. Nothing here knows of widgets."""

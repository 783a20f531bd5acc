"""What the page says about a study: plain values, tables and figures, for the browser to lay out."""

"""The page in a browser: `style-a-video web`."""

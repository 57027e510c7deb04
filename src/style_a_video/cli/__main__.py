"""`python -m style_a_video.cli`."""

from . import main

main()

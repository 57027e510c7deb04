"""The recipe of the bundled model: pictures -> renderers -> pairs -> first stage -> φ and text encoder -> UNet."""

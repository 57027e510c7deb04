"""The recipe of the bundled model: pictures -> teachers -> pairs -> first stage -> φ and text encoder -> UNet."""

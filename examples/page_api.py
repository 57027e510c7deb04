"""Use a page that runs somewhere as an API: a clip and a sentence in, the result in a file.

python examples/page_api.py http://127.0.0.1:7860/ clip.mp4 "a watercolor" out.mp4
"""

from __future__ import annotations

import secrets
import shutil
import sys
from pathlib import Path

from gradio_client import Client, handle_file


def main(address: str, clip: str, prompt: str, output: str) -> None:
    # The page knows its visitors by a cookie. With one of its own, a program finds its files again.
    client = Client(address, headers={"Cookie": f"style-a-video={secrets.token_hex(16)}"}, verbose=False)
    _, _, files, *_ = client.predict(
        video=handle_file(clip), prompt=prompt, style_image=None, strength=1.0, preserve_color=False, fast=True,
        size=256, guidance_scale=1.0, seed=0, negative_prompt="", api_name="/stylize",
    )  # fmt: skip
    result, _record = files["value"]
    shutil.copy(result, output)
    print(f"wrote {Path(output).absolute()}")


if __name__ == "__main__":
    main(*sys.argv[1:5])

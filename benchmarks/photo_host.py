"""Hosts for benchmarks: real-sized JPEGs on the loopback addresses, some of them missing, one host slow.

    python -m benchmarks.photo_host --photos 5000 --urls urls.txt

writes the URLs, prints `ready`, and serves until it is killed. Sizes are those of photographs: 200 kB to 2 MB, a fifth
of them 3,000 px and more on the longer side. A few dozen are drawn; each URL's photo ends with bytes of its own.
"""

import argparse
import asyncio
import io
from pathlib import Path

import numpy as np
from aiohttp import web
from PIL import Image

NUM_DRAWN = 30
QUICK, SLOW = "127.0.0.1", "127.0.0.2"
SLOW_ANSWER_S = 2.0


def main() -> None:
    """Draw, write the list, serve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=5000)
    parser.add_argument("--urls", type=Path, required=True)
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--failing", type=float, default=0.0, help="share of URLs that answer 404")
    parser.add_argument("--slow", type=float, default=0.0, help="share of URLs on a host that takes 2 s to answer")
    arguments = parser.parse_args()
    places = np.random.default_rng(3).random(arguments.photos)
    urls = []
    for number, place in enumerate(places):
        host = SLOW if place < arguments.slow else QUICK
        kind = "missing" if place > 1 - arguments.failing else "photo"
        urls.append(f"http://{host}:{arguments.port}/{kind}/{number}.jpg")
    arguments.urls.write_text("".join(f"{url}\n" for url in urls))
    asyncio.run(serve(draw_photos(), arguments.port))


def draw_photos() -> list[bytes]:
    """JPEGs with the sizes of photographs."""
    random = np.random.default_rng(1)
    photos = []
    for number in range(NUM_DRAWN):
        width = int(random.integers(3000, 4200)) if number % 5 == 0 else int(random.integers(1000, 2048))
        height = round(width * random.choice([0.667, 0.75, 0.562]))
        # Detail at three scales and grain: what fills the bytes of a photograph.
        layers = [
            Image.fromarray(random.integers(0, 256, (side, side, 3), np.uint8)).resize(
                (width, height), Image.Resampling.BICUBIC
            )
            for side in (4, 24, 160)
        ]
        image = np.mean([np.asarray(layer, np.float32) for layer in layers], axis=0)
        image += random.normal(0, 6, (height, width, 1)).astype(np.float32)
        picture = Image.fromarray(np.clip(image, 0, 255).astype(np.uint8))
        for quality in (92, 85, 75, 60):
            stream = io.BytesIO()
            picture.save(stream, "JPEG", quality=quality)
            if stream.tell() <= 2_000_000:
                break
        photos.append(stream.getvalue())
    return photos


async def serve(photos: list[bytes], port: int) -> None:
    """Answer on both hosts until cancelled."""

    async def photo(request: web.Request) -> web.Response:
        number = int(request.match_info["number"])
        if request.host.startswith(SLOW):
            await asyncio.sleep(SLOW_ANSWER_S)
        body = photos[number % len(photos)] + number.to_bytes(8, "big")
        return web.Response(body=body, content_type="image/jpeg")

    application = web.Application()
    application.router.add_get(r"/photo/{number:\d+}.jpg", photo)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    for host in (QUICK, SLOW):
        await web.TCPSite(runner, host, port, backlog=1024).start()
    sizes = [len(photo) for photo in photos]
    print(f"ready, {min(sizes):,} to {max(sizes):,} bytes, {sum(sizes) / len(sizes):,.0f} in the mean", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    main()

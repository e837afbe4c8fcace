"""Send completions to a frontend on loopback at a mean rate, at random moments, and say what came back.

usage: load.py URL RATE SECONDS OUTPUT_TOKENS
"""

import asyncio
import json
import random
import sys

import aiohttp

PREFIX_WORDS, SUFFIX_WORDS, PREFIXES, SEED = 64, 64, 8, 1


async def main(url: str, rate: float, seconds: float, output_tokens: int) -> None:
    draw = random.Random(SEED)
    words = [f"w{number}" for number in range(1500)]
    prefixes = [draw.choices(words, k=PREFIX_WORDS) for _ in range(PREFIXES)]
    # A connection for each request: kept ones wait for delayed acknowledgements.
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=120)) as session:
        loop = asyncio.get_running_loop()
        until, requests = loop.time() + seconds, []
        while loop.time() < until:
            prompt = " ".join(draw.choice(prefixes) + draw.choices(words, k=SUFFIX_WORDS))
            requests.append(asyncio.create_task(complete(session, url, prompt, output_tokens)))
            await asyncio.sleep(draw.expovariate(rate))
        succeeded = await asyncio.gather(*requests)
    print(json.dumps({"requests": len(succeeded), "failed": succeeded.count(False)}))


async def complete(session: aiohttp.ClientSession, url: str, prompt: str, output_tokens: int) -> bool:
    body = {"model": "tiny", "prompt": prompt, "max_tokens": output_tokens, "ignore_eos": True, "stream": True}
    try:
        async with session.post(f"{url}/v1/completions", json=body) as answer:
            text = await answer.read()
            return answer.status == 200 and text.rstrip().endswith(b"data: [DONE]")
    except aiohttp.ClientError:
        return False


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])))

"""Send completions to a frontend on loopback at a mean rate, at random moments, and say what came back.

usage: load.py URL RATE SECONDS OUTPUT_TOKENS [--seed N] [--requests FILE]
"""

import argparse
import asyncio
import json
import random

import aiohttp

PREFIX_WORDS, SUFFIX_WORDS, PREFIXES = 64, 64, 8


async def main(arguments: argparse.Namespace) -> None:
    draw = random.Random(arguments.seed)
    words = [f"w{number}" for number in range(1500)]
    prefixes = [draw.choices(words, k=PREFIX_WORDS) for _ in range(PREFIXES)]
    # A connection for each request: kept ones wait for delayed acknowledgements.
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=120)) as session:
        loop = asyncio.get_running_loop()
        began, requests = loop.time(), []
        # What is sent and when depends on the seed alone, not on how the answers come.
        due = began + draw.expovariate(arguments.rate)
        while due < began + arguments.seconds:
            prompt = draw.choice(prefixes) + draw.choices(words, k=SUFFIX_WORDS)
            await asyncio.sleep(max(0.0, due - loop.time()))
            requests.append(asyncio.create_task(complete(session, arguments, prompt, began)))
            due += draw.expovariate(arguments.rate)
        outcomes = await asyncio.gather(*requests)
    if arguments.requests:
        with open(arguments.requests, "w") as file:
            file.writelines(json.dumps(outcome) + "\n" for outcome in outcomes)
    failed = sum(outcome["terminal_status"] != "completed" for outcome in outcomes)
    print(json.dumps({"requests": len(outcomes), "failed": failed}))


async def complete(
    session: aiohttp.ClientSession, arguments: argparse.Namespace, prompt: list[str], began: float
) -> dict[str, object]:
    """One request and what became of it, in the names of the lab's requests.jsonl."""
    tokens = arguments.output_tokens
    body = {"model": "tiny", "prompt": " ".join(prompt), "max_tokens": tokens, "ignore_eos": True, "stream": True}
    now = asyncio.get_running_loop().time
    sent, times, is_done = now(), [], False
    try:
        async with session.post(f"{arguments.url}/v1/completions", json=body) as answer:
            async for line in answer.content:
                is_done = is_done or line.strip() == b"data: [DONE]"
                if line.startswith(b"data: {"):
                    times.append(now())
            is_done = is_done and answer.status == 200 and bool(times)
    except aiohttp.ClientError:
        is_done = False
    outcome = {"arrival_time_ms": 1e3 * (sent - began), "input_length": len(prompt), "output_length": tokens}
    if not is_done:
        return outcome | {"terminal_status": "failed"}
    between = (times[-1] - times[0]) / max(1, tokens - 1)
    return outcome | {
        "terminal_status": "completed", "ttft_ms": 1e3 * (times[0] - sent), "itl_ms": 1e3 * between,
        "e2e_latency_ms": 1e3 * (times[-1] - sent),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="load.py", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("rate", type=float)
    parser.add_argument("seconds", type=float)
    parser.add_argument("output_tokens", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--requests", help="write what became of each request there")
    asyncio.run(main(parser.parse_args()))

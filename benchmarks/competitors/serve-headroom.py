"""Answers requests of headroom.js: one JSON document a line in, one a line out.

A request is {"messages": [...], "times": n, "options": {...}}; an answer {"messages": [...], "ms": [...]}, or {"error": text}.
Every call gets a compressor of its own and an empty store, made before its time starts, so that nothing is remembered
from the call before.
"""

import json
import os
import sys
import time

# Answers go where stdout went; whatever a library prints goes to stderr.
answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)

# Nothing is to be fetched: no model, no prices, no news of itself. The vocabularies of OpenAI's encodings come with litellm.
for name in ("HEADROOM_OFFLINE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "LITELLM_LOCAL_MODEL_COST_MAP"):
    os.environ[name] = "1"
import litellm  # noqa: E402

os.environ["TIKTOKEN_CACHE_DIR"] = os.path.join(os.path.dirname(litellm.__file__), "litellm_core_utils", "tokenizers")
import headroom  # noqa: E402
from headroom.cache.compression_store import reset_compression_store  # noqa: E402

module = sys.modules["headroom.compress"]


def compress(request):
    times = []
    for _ in range(request.get("times", 1)):
        module._pipeline = None
        module._get_pipeline()
        reset_compression_store()
        # Its model is asked for explicitly, as the default one counts tokens by a guess.
        options = {"model": "gpt-4", "kompress_model": "disabled", **request.get("options", {})}
        start = time.perf_counter()
        result = headroom.compress(request["messages"], **options)
        times.append((time.perf_counter() - start) * 1e3)
    return {"messages": result.messages, "ms": times}


def main():
    answers.write(json.dumps({"version": headroom.__version__}) + "\n")
    answers.flush()
    for line in sys.stdin:
        try:
            answer = compress(json.loads(line))
        except Exception as error:  # noqa: BLE001
            answer = {"error": repr(error)}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


main()

"""Answers requests of wordllama.js: one JSON document a line in, one a line out.

A request is {"texts": [...]}, answered by {"vectors": [...]}, or {"texts": [...], "times": n}, answered by {"ms": [...]}; either may be
answered by {"error": text}. The greeting names the folder of the model that the package brings.
"""

import json
import os
import sys
import time

# Answers go where stdout went; whatever a library prints goes to stderr.
answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)

import wordllama  # noqa: E402

FOLDER = os.path.dirname(wordllama.__file__)
# The package looks for its tokenizer in the cache folder alone.
model = wordllama.WordLlama.load(cache_dir=FOLDER, disable_download=True)


def answer_to(request):
    texts = request["texts"]
    if "times" not in request:
        return {"vectors": model.embed(texts, norm=True).tolist()}
    times = []
    for _ in range(request["times"]):
        start = time.perf_counter()
        model.embed(texts, norm=True)
        times.append((time.perf_counter() - start) * 1e3)
    return {"ms": times}


def say(answer):
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


say({"folder": FOLDER})
for line in sys.stdin:
    try:
        say(answer_to(json.loads(line)))
    except Exception as error:  # noqa: BLE001
        say({"error": repr(error)})

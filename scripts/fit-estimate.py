#!/usr/bin/env python3
"""Fits the tables of src/tokens/estimate.rs: how likely a token of o200k_base starts at a byte, given the bytes around it.

Usage: fit-estimate.py OUTPUT --corpus DIR --texts DIR [DIR ...]        needs: pip install tiktoken numpy

The corpus is all fitted to. A quarter of the files under --texts (chosen by a hash of their paths) and of the generated texts is held out, and
the errors on it are printed. The three tables are fitted one after the other, each to what the ones before left, each entry a mean
shrunk toward 0 by the number of times its context was seen: P(start) = pair[b-1 b0] + quad[b-2..b1] + octet[b-5..b2].
"""
import argparse, csv, datetime, glob, hashlib, io, json, os, random, uuid
import numpy as np

BEFORE, AFTER = 5, 2
SCALE = 120
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
# (bits of the table, first and last byte of the window, how many sightings the prior weighs)
TABLES = [(16, -1, 0, 2), (16, -2, 1, 4), (19, -5, 2, 1)]
MAX_BYTES_PER_FILE = 120_000
MAX_FILES_PER_KIND = 250


def strings_in(value, out):
    if isinstance(value, str):
        out.append(value)
    elif isinstance(value, list):
        for item in value:
            strings_in(item, out)
    elif isinstance(value, dict):
        for item in value.values():
            strings_in(item, out)
    return out


def read(path):
    try:
        with open(path, encoding='utf-8', newline='') as file:
            return file.read()
    except (UnicodeDecodeError, OSError):
        return None


def corpus(folder):
    """(name, pieces): a file as one piece, and the strings of a request's messages as one piece each."""
    for path in sorted(glob.glob(f'{folder}/requests/*.json')):
        messages = json.loads(read(path))['messages']
        yield 'texts of ' + os.path.basename(path), strings_in(messages, [])
        yield os.path.basename(path), [read(path)]
    for path in sorted(glob.glob(f'{folder}/logs/*') + glob.glob(f'{folder}/json/*')):
        yield os.path.basename(path), [read(path)]


def files(folders):
    """Texts of every kind (by file name extension) found below the folders, at most so many of each."""
    kinds = {}
    for folder in folders:
        for base, _, names in sorted(os.walk(folder)):
            for name in sorted(names):
                path = os.path.join(base, name)
                if os.path.isfile(path) and 200 < os.path.getsize(path) < 3_000_000:
                    kinds.setdefault((folder, os.path.splitext(name)[1]), []).append(path)
    for kind, paths in sorted(kinds.items()):
        rng = random.Random(str(kind))
        rng.shuffle(paths)
        for path in paths[:MAX_FILES_PER_KIND]:
            text = read(path)
            if text:
                start = rng.randrange(max(1, len(text) - MAX_BYTES_PER_FILE))
                text = text[start:start + MAX_BYTES_PER_FILE]
                # Half of the files as one text, half as the lines of it, so that starts and ends of texts are learned.
                yield path, [text] if rng.random() < 0.5 else [line for line in text.split('\n') if line]


def rows(rng, count):
    first = 'James Mary Wei Olga Ahmed Sofia Liam Noah Emma Yusuf Chen Raj Lucas Mia'.split()
    last = 'Smith Kovacs Garcia Silva Khan Johnson Davis Moore Muller Rossi Patel Kim Nguyen'.split()
    status = 'active pending cancelled ok failed shipped delivered ERROR'.split()
    words = 'the customer asked for a refund because the order arrived late and damaged please contact support before Friday'.split()
    start = datetime.datetime(2024, 1, 1)
    fields = {
        'id': lambda: rng.randint(1, 10 ** rng.randint(2, 9)), 'uuid': lambda: str(uuid.UUID(int=rng.getrandbits(128))),
        'name': lambda: f'{rng.choice(first)} {rng.choice(last)}', 'ok': lambda: rng.random() < .5, 'parent': lambda: None,
        'email': lambda: f'{rng.choice(first)}.{rng.choice(last)}{rng.randint(1, 999)}@example.com'.lower(),
        'city': lambda: rng.choice(['Berlin', 'Dallas', 'Las Vegas', 'Paris', 'Osaka']), 'status': lambda: rng.choice(status),
        'price': lambda: round(rng.random() * 1000, 2), 'lat': lambda: rng.random() * 180 - 90, 'count': lambda: rng.randint(0, 50),
        'created_at': lambda: (start + datetime.timedelta(seconds=rng.randint(0, 4 * 10 ** 7))).isoformat() + 'Z',
        'sku': lambda: ''.join(rng.choice('ABCDEFGHJKLMNPQRSTUVWXYZ0123456789') for _ in range(8)),
        'hash': lambda: f'{rng.getrandbits(160):040x}', 'ip': lambda: '.'.join(str(rng.randint(0, 255)) for _ in range(4)),
        'url': lambda: f'https://cdn.example.com/{rng.choice(last).lower()}/{rng.randint(1, 9999)}/img.png?size={rng.randint(1, 9)}00',
        'note': lambda: ' '.join(rng.choice(words) for _ in range(rng.randint(3, 20))), 'tags': lambda: rng.sample(status, 2),
    }
    keys = rng.sample(list(fields), rng.randint(3, 11))
    return [{key: fields[key]() for key in keys} for _ in range(count)]


def as_csv(table):
    out = io.StringIO()
    writer = csv.DictWriter(out, table[0].keys())
    writer.writeheader()
    writer.writerows(table)
    return out.getvalue()


def as_markdown(table):
    keys = list(table[0])
    lines = ['| ' + ' | '.join(keys) + ' |', '|' + '---|' * len(keys)]
    return '\n'.join(lines + ['| ' + ' | '.join(str(row[key]) for key in keys) + ' |' for row in table])


def as_log(table, rng):
    time = lambda: datetime.datetime(2024, 3, 1) + datetime.timedelta(milliseconds=rng.randint(0, 10 ** 9))
    name = lambda: rng.choice(['http', 'db', 'worker-3', 'com.acme.OrderService'])
    return '\n'.join(f'{time()} [{rng.choice(["INFO", "WARN", "ERROR", "DEBUG"])}] {name()}: '
                     + ' '.join(f'{key}={value}' for key, value in row.items()) for row in table)


def generated(count):
    for index in range(count):
        rng = random.Random(index)
        table = rows(rng, rng.choice([20, 60, 150]))
        text = [
            lambda: json.dumps(table), lambda: json.dumps(table, separators=(',', ':')), lambda: json.dumps(table, indent=2),
            lambda: json.dumps(table, indent=4), lambda: '\n'.join(json.dumps(row, separators=(',', ':')) for row in table),
            lambda: as_csv(table), lambda: as_markdown(table), lambda: as_log(table, rng),
        ][index % 8]()
        yield f'generated {index}', [json.dumps(text) if rng.random() < .15 else text]


def runs():
    """Long runs of one character or one pair."""
    for index in range(40):
        rng = random.Random(index)
        unit = lambda: ''.join(rng.choice([chr(rng.randint(32, 126)), rng.choice('=-_*#.~ \t\n[]{}()')]) for _ in range(rng.randint(1, 2)))
        yield f'run {index}', [unit() * rng.randint(1, 400) for _ in range(60)]


def vocabulary(encoding):
    """The words of the vocabulary, frequent ones more often, so that a word is known that no file has."""
    words = []
    for token in range(encoding.n_vocab):
        try:
            word = encoding.decode_single_token_bytes(token).decode()
        except (KeyError, UnicodeDecodeError):
            continue
        if word.isascii() and word.strip().isalpha():
            words.append((token, word[1:] if word.startswith(' ') else word.lower()))
    for limit, repeats in [(8_000, 8), (20_000, 4), (60_000, 2), (200_000, 1)]:
        chosen = [word for token, word in words if token < limit]
        for turn in range(repeats):
            random.Random(turn).shuffle(chosen)
            yield f'vocabulary {limit} {turn}', [' '.join(chosen)]


def held_out(name):
    return not name.startswith('vocabulary') and int(hashlib.md5(name.encode()).hexdigest(), 16) % 4 == 0


def fold_digits(data):
    """A digit becomes its place in its group of three: that decides where tokens start, its value does not."""
    digit = (data >= 48) & (data < 58)
    index = np.arange(len(data))
    start = np.maximum.accumulate(np.where(digit, -1, index))
    return np.where(digit, 48 + (index - start - 1) % 3, data).astype(np.uint8)


def label(encoding, lengths, pieces):
    """The bytes of the pieces with zeros between, which of them are text, and at which a token starts."""
    parts, starts, text = [], [], []
    for piece in pieces:
        data = np.frombuffer(piece.encode(), np.uint8)
        tokens = lengths[encoding.encode_ordinary(piece)]
        start = np.zeros(len(data), bool)
        start[np.cumsum(tokens) - tokens] = True
        parts += [np.zeros(BEFORE, np.uint8), data, np.zeros(AFTER, np.uint8)]
        starts += [np.zeros(BEFORE, bool), start, np.zeros(AFTER, bool)]
        text += [np.zeros(BEFORE, bool), np.ones(len(data), bool), np.zeros(AFTER, bool)]
    return np.concatenate(parts), np.concatenate(text), np.concatenate(starts)


def contexts(data, text, table):
    bits, first, last, _ = TABLES[table]
    padded = np.concatenate([np.zeros(8, np.uint8), fold_digits(data), np.zeros(8, np.uint8)])
    value = np.zeros(len(data), np.uint64)
    for place, offset in enumerate(range(first, last + 1)):
        value |= padded[8 + offset:8 + offset + len(data)].astype(np.uint64) << np.uint64(8 * place)
    value = value[text]
    return (value if table == 0 else (value * MULTIPLIER) >> np.uint64(64 - bits)).astype(np.int64)


def fit(documents):
    tables = []
    for number, (bits, _, _, prior) in enumerate(TABLES):
        total, seen = np.zeros(1 << bits), np.zeros(1 << bits)
        mean = sum(d[2].sum() for d in documents) / sum(d[1].sum() for d in documents)
        for begin in range(0, len(documents), 40):
            batch = [np.concatenate(column) for column in zip(*documents[begin:begin + 40])]
            left = batch[2][batch[1]].astype(float) - (mean if number == 0 else 0)
            for known, table in enumerate(tables):
                left -= table[contexts(batch[0], batch[1], known)] / SCALE
            index = contexts(batch[0], batch[1], number)
            total += np.bincount(index, left, 1 << bits)
            seen += np.bincount(index, minlength=1 << bits)
        values = total / (seen + prior) + (mean if number == 0 else 0)
        tables.append(np.clip(np.rint(values * SCALE), -128, 127).astype(np.int8))
    return tables


def errors(tables, documents):
    out = []
    for name, (data, text, start) in documents:
        estimate = sum(table[contexts(data, text, number)].sum(dtype=np.int64) for number, table in enumerate(tables)) / SCALE
        if start.sum() >= 300:
            out.append((100 * (estimate - start.sum()) / start.sum(), name, int(start.sum())))
    return out


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('output')
    parser.add_argument('--corpus', required=True)
    parser.add_argument('--texts', nargs='*', default=[])
    args = parser.parse_args()
    import tiktoken
    encoding = tiktoken.get_encoding('o200k_base')
    lengths = np.zeros(encoding.n_vocab, np.int64)
    for token in range(encoding.n_vocab):
        try:
            lengths[token] = len(encoding.decode_single_token_bytes(token))
        except KeyError:
            pass
    fitted = [(name, label(encoding, lengths, pieces)) for name, pieces in corpus(args.corpus)]
    known = len(fitted)
    others = [(name, label(encoding, lengths, pieces))
              for source in (files(args.texts), generated(1200), runs(), vocabulary(encoding)) for name, pieces in source]
    fitted += [document for document in others if not held_out(document[0])]
    tables = fit([document for _, document in fitted])
    with open(args.output, 'wb') as file:
        for table in tables:
            file.write(table.tobytes())
    for title, documents in [('corpus', fitted[:known]), ('held out', [d for d in others if held_out(d[0])])]:
        found = sorted(errors(tables, documents), key=lambda error: -abs(error[0]))
        sizes = [abs(error[0]) for error in found]
        print(f'{title}: {len(found)} texts, error in %: median {np.median(sizes):.2f}, p90 {np.percentile(sizes, 90):.2f}, '
              f'p99 {np.percentile(sizes, 99):.2f}, largest ' + ', '.join(f'{e:.1f} ({n[-40:]}, {t} tokens)' for e, n, t in found[:6]))
    for error, name, tokens in errors(tables, fitted[:known]):
        print(f'{name}: {tokens} tokens, {error:+.2f} %')


if __name__ == '__main__':
    main()

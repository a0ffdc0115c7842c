'use strict';

const { mix, planted } = require('./evidence');
const { trace } = require('./logs');
const { HOSTS, NOUNS, SERVICES, VERBS, sentence } = require('./words');

/**
 * What tests and builds print.
 *
 * @typedef {import('./random').Random} Random
 * @typedef {import('./evidence').Sample} Sample
 * @typedef {import('./evidence').Evidence} Evidence
 */

/** @param {Random} random */
const file = (random) => `${random.pick(SERVICES)}/${random.pick(NOUNS)}`;
/** @param {Random} random */
const identifier = (random) => `${random.pick(VERBS)}_${random.pick(NOUNS)}_${random.pick(NOUNS)}`;
/** @param {Random} random */
const seconds = (random) => `0.${random.digits(2)}`;

/**
 * Ordinary lines with blocks among them that tell of failures, and lines that are unlike the others.
 *
 * @typedef {object} Tool
 * @property {string} command
 * @property {(random: Random) => string[]} head
 * @property {((random: Random) => string)[]} ordinary  the first ones far more often
 * @property {(random: Random, code: string) => string} failure  has the code
 * @property {(random: Random, code: string) => string} [rare]
 * @property {(random: Random, number: string) => string} [slow]
 * @property {(random: Random) => string[]} tail
 */

/** @type {Record<string, Tool>} */
const TOOLS = {
  'test-pytest': {
    command: 'pytest -v',
    head: () => ['============================= test session starts ==============================', 'platform linux -- Python 3.12.3, pytest-8.2.0, pluggy-1.5.0', 'rootdir: /srv/app', 'collected 812 items', ''],
    ordinary: [(r) => `tests/${file(r)}_test.py::test_${identifier(r)} PASSED${' '.repeat(r.between(2, 20))}[ ${r.between(1, 99)}%]`],
    failure: (r, code) => `tests/${file(r)}_test.py::test_${identifier(r)} FAILED\nE       AssertionError: assert 'expected' == 'ticket-${code}'`,
    rare: (r, code) => `tests/${file(r)}_test.py::test_${identifier(r)} XPASS (flaky since ${code})`,
    tail: (r) => ['', `========================= 811 passed in ${r.between(20, 80)}.31s =========================`],
  },
  'test-jest': {
    command: 'npx jest --verbose',
    head: () => ['', '> shop@1.4.0 test', '> jest --verbose', ''],
    ordinary: [
      (r) => `    ✓ ${r.pick(VERBS)} the ${r.pick(NOUNS)} of a ${r.pick(NOUNS)} (${r.between(1, 40)} ms)`,
      (r) => `PASS src/${file(r)}.test.ts`,
      (r) => `  ${r.pick(NOUNS)} ${r.pick(NOUNS)}`,
    ],
    failure: (r, code) =>
      `    ✕ ${r.pick(VERBS)} the ${r.pick(NOUNS)} twice (${r.between(3, 90)} ms)\n\n  ● expect(received).toBe(expected)\n\n    Expected: 42\n    Received: ${code}\n\n      at Object.<anonymous> (src/${file(r)}.test.ts:${r.between(10, 300)}:${r.between(2, 40)})\n`,
    rare: (r, code) => `    ○ skipped until ${code} is decided`,
    slow: (r, number) => `    ✓ ${r.pick(VERBS)} the ${r.pick(NOUNS)} of a ${r.pick(NOUNS)} (${number} ms)`,
    tail: () => ['Test Suites: 64 total', 'Tests:       540 total', 'Snapshots:   0 total', 'Time:        18.203 s'],
  },
  'test-cargo': {
    command: 'cargo test',
    head: () => ['    Finished `test` profile [unoptimized + debuginfo] target(s) in 0.61s', '     Running unittests src/lib.rs (target/debug/deps/app-1f0c)', '', 'running 640 tests'],
    ordinary: [(r) => `test ${file(r).replace('/', '::')}::tests::${identifier(r)} ... ok`, (r) => `test ${file(r).replace('/', '::')}::tests::${identifier(r)} ... ignored`],
    failure: (r, code) => `test ${file(r).replace('/', '::')}::tests::rejects_${code} ... FAILED`,
    rare: (r, code) => `test ${file(r).replace('/', '::')}::tests::case_${code} has been running for over 60 seconds`,
    tail: (r) => ['', 'failures:', '', `---- cart::tests::it stdout ----`, `thread 'cart::tests::it' panicked at src/cart.rs:${r.between(20, 900)}:9:`, 'assertion `left == right` failed', '', 'test result: FAILED. 639 passed; 1 failed; 0 ignored'],
  },
  'test-go': {
    command: 'go test -v ./...',
    head: () => [],
    ordinary: [
      (r) => `--- PASS: Test${identifier(r).replace(/(^|_)(\w)/g, (_, __, letter) => letter.toUpperCase())} (${seconds(r)}s)`,
      (r) => `=== RUN   Test${identifier(r).replace(/(^|_)(\w)/g, (_, __, letter) => letter.toUpperCase())}`,
      (r) => `ok  \texample.com/app/${file(r)}\t${seconds(r)}s`,
    ],
    failure: (r, code) => `--- FAIL: TestParse${r.letters(4)} (${seconds(r)}s)\n    ${r.pick(NOUNS)}_test.go:${r.between(20, 400)}: got ${code}, want nil`,
    rare: (r, code) => `testing: warning: no tests to run in ${code}`,
    slow: (_, number) => `--- PASS: TestReplayWholeArchive (${number}s)`,
    tail: () => ['FAIL', 'exit status 1'],
  },
  'build-npm': {
    command: 'npm install --loglevel=http',
    head: () => ['npm info using npm@10.8.1', 'npm info using node@v20.14.0'],
    ordinary: [
      (r) => `npm http fetch GET 200 https://packages.local/${r.pick(NOUNS)}-${r.pick(NOUNS)} ${r.between(20, 400)}ms (cache miss)`,
      (r) => `npm http fetch GET 200 https://packages.local/@${r.pick(SERVICES)}%2f${r.pick(NOUNS)} ${r.between(20, 400)}ms (cache hit)`,
      (r) => `npm warn deprecated ${r.pick(NOUNS)}-${r.pick(NOUNS)}@${r.between(0, 4)}.${r.between(0, 9)}.${r.between(0, 9)}: no longer supported`,
    ],
    failure: (r, code) => `npm error code ERESOLVE\nnpm error ERESOLVE could not resolve\nnpm error While resolving: ${r.pick(NOUNS)}@${code}`,
    rare: (_, code) => `npm notice lifecycle script of ${code} was skipped`,
    slow: (r, number) => `npm http fetch GET 200 https://packages.local/${r.pick(NOUNS)}-${r.pick(NOUNS)} ${number}ms (cache miss)`,
    tail: (r) => ['', `added ${r.between(400, 900)} packages in 41s`],
  },
  'build-make': {
    command: 'make -j8',
    head: () => ['-- Configuring done (0.4s)', '-- Generating done (0.1s)'],
    ordinary: [
      (r) => `[${String(r.between(1, 99)).padStart(3)}%] Building CXX object src/CMakeFiles/app.dir/${file(r)}.cpp.o`,
      (r) => `cc -O2 -g -Wall -Iinclude -DNDEBUG -c -o build/${file(r)}.o src/${file(r)}.c`,
      (r) => `src/${file(r)}.c:${r.between(10, 900)}:${r.between(1, 60)}: warning: unused variable '${r.pick(NOUNS)}' [-Wunused-variable]`,
    ],
    failure: (r, code) => `src/${file(r)}.cpp:${r.between(10, 900)}:${r.between(1, 60)}: error: 'Widget${code}' was not declared in this scope\n  ${r.between(10, 900)} |   auto made = Widget${code}::make();\n      |               ^~~~~~~~~~~~`,
    rare: (_, code) => `ld: relocation table of section .init_${code} is merged`,
    tail: () => ['make[1]: *** [CMakeFiles/Makefile2:88: all] Error 2', 'make: *** [Makefile:136: all] Error 2'],
  },
  'build-tsc': {
    command: 'npx tsc --noEmit --listFiles && npx eslint .',
    head: () => [],
    ordinary: [
      (r) => `/srv/app/node_modules/@types/${r.pick(NOUNS)}/${r.pick(NOUNS)}.d.ts`,
      (r) => `/srv/app/src/${file(r)}.ts`,
      (r) => `  ${r.between(1, 400)}:${r.between(1, 80)}  warning  '${r.pick(NOUNS)}' is assigned a value but never used  no-unused-vars`,
    ],
    failure: (r, code) => `src/${file(r)}.ts(${r.between(1, 400)},${r.between(1, 80)}): error TS2345: Argument of type 'Q${code}' is not assignable to parameter of type 'string'.`,
    rare: (_, code) => `  configuration of folder ${code} overrides the one above`,
    tail: () => ['', 'Found 3 errors.'],
  },
  'build-maven': {
    command: 'mvn verify',
    head: () => ['[INFO] Scanning for projects...', '[INFO] ------------------------< com.example:app >------------------------'],
    ordinary: [
      (r) => `[INFO] Downloading from central: https://repo.local/com/${file(r)}/${r.between(1, 9)}.${r.between(0, 9)}/${r.pick(NOUNS)}.pom`,
      (r) => `[INFO] Downloaded from central: https://repo.local/com/${file(r)}/${r.between(1, 9)}.${r.between(0, 9)}/${r.pick(NOUNS)}.pom (${r.between(1, 90)} kB at ${r.between(100, 900)} kB/s)`,
      (r) => `[INFO] Tests run: ${r.between(1, 30)}, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: ${seconds(r)} s -- in com.example.${r.pick(NOUNS)}Test`,
      (r) => `[WARNING] ${r.pick(NOUNS)}.java: uses unchecked or unsafe operations.`,
    ],
    failure: (r, code) => `[ERROR] com.example.${r.pick(NOUNS)}Test.parses -- Time elapsed: ${seconds(r)} s <<< ERROR!\njava.lang.IllegalStateException: ledger ${code} is closed\n${trace(r)}`,
    rare: (_, code) => `[INFO] Reactor reordered because of profile ${code}`,
    slow: (r, number) => `[INFO] Tests run: ${r.between(1, 30)}, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: ${number} s -- in com.example.ArchiveTest`,
    tail: () => ['[INFO] BUILD FAILURE', '[INFO] Total time:  02:14 min'],
  },
  'build-docker': {
    command: 'docker build --progress=plain .',
    head: () => ['#1 [internal] load build definition from Dockerfile', '#1 DONE 0.0s'],
    ordinary: [
      (r) => `#${r.between(5, 12)} ${r.between(1, 90)}.${r.digits(2)} Get:${r.between(1, 200)} http://mirror.local/debian bookworm/main amd64 lib${r.pick(NOUNS)} amd64 ${r.between(1, 9)}.${r.between(0, 20)}-${r.between(1, 4)} [${r.between(10, 900)} kB]`,
      (r) => `#${r.between(5, 12)} ${r.between(1, 90)}.${r.digits(2)} Unpacking lib${r.pick(NOUNS)}:amd64 (${r.between(1, 9)}.${r.between(0, 20)}-${r.between(1, 4)}) ...`,
      (r) => `#${r.between(5, 12)} ${r.between(1, 90)}.${r.digits(2)} Setting up lib${r.pick(NOUNS)}:amd64 ...`,
    ],
    failure: (r, code) => `#9 ${r.between(1, 90)}.31 E: Unable to locate package lib${code}-dev\n#9 ERROR: process "/bin/sh -c apt-get install" did not complete successfully: exit code: 100`,
    rare: (r, code) => `#9 ${r.between(1, 90)}.52 Diversion of /usr/bin/awk by ${code} is kept`,
    tail: () => ['------', 'failed to solve: exit code: 100'],
  },
  'build-terraform': {
    command: 'terraform plan && ansible-playbook site.yml',
    head: () => ['Terraform used the selected providers to generate the following execution plan.'],
    ordinary: [
      (r) => `module.${r.pick(SERVICES)}.aws_instance.${r.pick(NOUNS)}[${r.below(20)}]: Refreshing state... [id=i-${r.hex(17)}]`,
      (r) => `ok: [${r.pick(HOSTS)}] => (item=${r.pick(NOUNS)})`,
      (r) => `changed: [${r.pick(HOSTS)}]`,
      (r) => `TASK [${r.pick(SERVICES)} : ${sentence(r).slice(0, 40)}] ****************`,
    ],
    failure: (r, code) => `fatal: [${r.pick(HOSTS)}]: FAILED! => {"changed": false, "msg": "unit ${code} is masked"}`,
    rare: (_, code) => `  # aws_db_instance.${code} must be replaced`,
    tail: () => ['PLAY RECAP *********************************************************************'],
  },
};

/**
 * @param {Tool} tool
 * @returns {(random: Random) => Sample}
 */
function generator(tool) {
  return (random) => {
    /** @type {Evidence[]} */
    const evidence = [];
    for (let left = random.between(1, 4); left > 0; left -= 1) {
      const code = `${random.letters(2).toLowerCase()}${random.digits(6)}`;
      evidence.push({ kind: 'error', needle: code, unit: tool.failure(random, code) });
    }
    const { rare, slow } = tool;
    for (let left = rare === undefined ? 0 : random.between(1, 3); left > 0; left -= 1) {
      const code = `${random.letters(2).toLowerCase()}${random.digits(5)}`;
      evidence.push({ kind: 'rare', needle: code, unit: rare?.(random, code) });
    }
    if (slow !== undefined) {
      const number = String(random.between(41_000, 98_000));
      evidence.push({ kind: 'outlier', needle: number, unit: slow(random, number) });
    }
    const lines = mix(random, random.between(300, 1200), () => random.skewed(tool.ordinary)(random), evidence);
    return {
      text: [...tool.head(random), ...lines, ...tool.tail(random)].join('\n'),
      question: random.pick(['Why does it not pass?', 'Run it again, please.', 'Is everything fine now?']),
      tool: 'bash',
      arguments: { command: tool.command },
      planted: planted(evidence),
    };
  };
}

/** @type {Record<string, (random: Random) => Sample>} */
const generators = {};
for (const [name, tool] of Object.entries(TOOLS)) generators[name] = generator(tool);

module.exports = { generators };

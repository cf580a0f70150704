import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseNodeFile } from '@fernlab/shared/contracts/node-file'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { blocksOf } from '../../support/doc-blocks.ts'
import { root } from '../../support/source-files.ts'
import { suite } from '../../support/suite.ts'
import {
  configOf,
  daemonOf,
  isUp,
  type LabWithDaemons,
  labWithDaemons,
  takesTheirShare,
  untilWritten,
} from './lab-with-daemons.ts'

const test = suite('daemons with services in Python', {
  timeoutMs: 120_000,
  hookTimeoutMs: 180_000,
  fileTimeoutMs: 600_000,
})

const COUNTER = `
import array
import asyncio
import time
from typing import Annotated, Any, Iterator, List, Literal
from fernlab_service import Event, ServiceError

class Counter:
    """Counts. And more."""
    version = "1.2"
    rang = Event(str)
    closed = 0

    def __init__(self, word="", folder=""):
        self._count = 0
        self._level = 0.0
        self._word = word

    def close(self):
        Counter.closed += 1

    def add(self, by: Annotated[int, {"minimum": 0}] = 1) -> int:
        """Adds."""
        self._count += by
        return self._count

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def up_to(self, last: int) -> Iterator[int]:
        for i in range(1, last + 1):
            yield i

    def sum(self, values: array.array) -> float:
        return sum(values)

    def twice(self, values: array.array) -> array.array:
        return values + values

    def same(self, value: Any) -> Any:
        return value

    def kind(self, value: Any) -> str:
        return type(value).__name__

    def ring(self, how: Literal["ding", "dong"]) -> None:
        self.rang.emit(how)

    def ends(self) -> int:
        return Counter.closed

    def go(self, how: str) -> Any:
        if how == "error": raise RuntimeError("out of range")
        if how == "own": raise ServiceError("lamp-off", "the lamp is off")
        if how == "exit": raise SystemExit(3)
        if how == "nan": return float("nan")
        if how == "long": return "é" * 200_000
        if how == "huge": return b"x" * 100_000_000
        if how == "memory": return bytearray(10**9)
        if how == "set": return {1, 2}
        if how == "half": return ["\\ud800"]
        if how == "name": raise OSError("no file \\udcff")
        if how == "print": print("hello"); return len(self._word)
        if how == "cycle":
            a: list = []
            a.append(a)
            return a
        if how == "sleep": time.sleep(3600)

    @property
    def level(self) -> Annotated[float, {"unit": "V", "minimum": 0, "maximum": 5}]:
        """The level."""
        return self._level

    @level.setter
    def level(self, value):
        self._level = value
`
/** Its parameters have types. */
const OFFSET = `
from typing import Dict, List, Literal, Optional, Union
class Offset:
    def __init__(self, offset: float, mode: Literal["warm", "cold"] = "warm", steps: int = 1, on: bool = True,
                 names: Optional[List[str]] = None, more: Union[str, Dict[str, int]] = "", any=None):
        self._offset = offset
    def value(self) -> float:
        return self._offset + 1
`
const fitting = { offset: 2, mode: 'cold', steps: 3, on: false, names: ['a'], more: { b: 1 }, any: [1] }

const guide = blocksOf(readFileSync(join(root, 'docs/services.md'), 'utf8'))
const guided = (file: string) => guide.find((block) => block.file === file)?.text ?? ''
const counter = (more: object = {}) => ({ file: './counter.py', daemon: 'py', ...more })

/** Debian's Python, which has Debian's cbor2. */
const debian = { PATH: '/usr/bin:/bin' }
/** The same as if it had none. */
const noCbor = "raise ImportError('there is no cbor2')\n"

let lab: LabWithDaemons
test.before(async () => {
  const { node } = parseNodeFile(guided('own-python/node.yaml'))
  lab = await labWithDaemons(
    {
      'counter.py': COUNTER,
      'without/cbor2.py': noCbor,
      'mean.py': guided('own-python/mean.py'),
      'bad.py': 'class Bad:\n    def go(self, *many):\n        pass\n',
      'odd.py': `from typing import Annotated\nclass Odd:\n    def go(self, x: Annotated[float, {'minimum': 1j}]):\n        pass\n`,
      'offset.py': OFFSET,
      'both.py': `from typing import Annotated\nclass Both:\n    @property\n    def level(self) -> Annotated[float, {'maximum': 5, 'limits': {'low': 0}}]:\n        return 1\n`,
      'worse.py': 'import sys\nsys.exit(1)\n',
    },
    configOf(
      { py: { memoryMB: 400, env: debian }, text: { env: { ...debian, PYTHONPATH: './without' } } },
      {
        counter: counter({ parameters: { word: 'swordfish' } }),
        plain: counter({ daemon: 'text' }),
        mine: counter({ instances: 'session' }),
        each: counter({ instances: 'percall' }),
        mean: { ...node?.services.own.mean, daemon: 'py' },
        bad: { file: './bad.py', daemon: 'py' },
        odd: { file: './odd.py', daemon: 'py' },
        both: { file: './both.py', daemon: 'py' },
        worse: { file: './worse.py', daemon: 'py' },
        'offset-warm': { file: './offset.py', daemon: 'py', instances: 'percall', parameters: { offset: 'warm' } },
        'offset-mode': { file: './offset.py', daemon: 'py', parameters: { offset: 1, mode: 'slow' } },
        'offset-steps': { file: './offset.py', daemon: 'py', parameters: { offset: 1, steps: 2.5 } },
        'offset-right': { file: './offset.py', daemon: 'py', parameters: fitting },
      },
    ),
  )
  await lab.until(() => isUp(lab, 'py', 'text'))
})
test.after(() => lab.close())

test('the contract is the class: types, limits, defaults and docstrings', async () => {
  const { contract } = lab.daemons.list().find(({ name }) => name === 'counter') ?? {}
  assert.equal([contract?.kind, contract?.version, contract?.title], ['counter', '1.2', 'Counts. And more.'])
  assert.equal(contract?.actions.add, {
    description: 'Adds.',
    arguments: { by: { type: 'integer', minimum: 0, default: 1 } },
    result: { type: 'integer' },
  })
  assert.equal(contract?.actions.up_to?.items, { type: 'integer' })
  assert.equal(contract?.actions.ring?.arguments.how, { type: 'string', enum: ['ding', 'dong'] })
  assert.equal(Object.keys(contract?.actions ?? {}), [
    'add',
    'ends',
    'go',
    'kind',
    'ring',
    'same',
    'sum',
    'twice',
    'up_to',
    'wait',
  ])
  assert.equal(contract?.signals.level, {
    unit: 'V',
    shape: [],
    kind: 'reading',
    title: 'The level.',
    limits: { low: 0, high: 5 },
    dtype: 'number',
    access: 'read-set',
  })
  const errors = daemonOf(lab, 'py')?.services.flatMap(({ name, error }) =>
    error === undefined ? [] : [`${name}: ${error}`],
  )
  assert.equal(errors, [
    'bad: ./bad.py: argument many of go: clients give arguments by name, so there can be no * and no /',
    'odd: ./odd.py: actions.go.arguments.x.minimum is a complex, which no message carries',
    'both: ./both.py: signal level has limits, and minimum or maximum too: one of both says it',
    'worse: ./worse.py can not be loaded: SystemExit: 1',
    'offset-warm: ./offset.py: parameter offset must be float, and is str',
    "offset-mode: ./offset.py: parameter mode must be one of 'warm', 'cold'",
    'offset-steps: ./offset.py: parameter steps must be int, and is float',
  ])
})

test('actions, signals, streams and events go as those of any service', async () => {
  const client = lab.client()
  assert.is(await client.call('offset-right/value'), 3)
  assert.is(await client.call('counter/add', { by: 2 }), 2)
  assert.is((await rejection(client.call('counter/add', { by: -1 }))).code, 'call-invalid')
  assert.is(await client.call('counter/sum', { values: Float64Array.of(1, 2, 3.5) }), 6.5)
  await client.call('counter/signals.set', { signal: 'level', value: 2 })
  const beyond = await rejection(client.call('counter/signals.set', { signal: 'level', value: 6 }))
  assert.match(beyond.message, /level.* 5/)
  const { level } = (await client.call('counter/signals.read', { signals: ['level'] })) as Record<
    string,
    { value: number }
  >
  assert.is(level?.value, 2)
  const items: unknown[] = []
  for await (const item of client.stream('counter/up_to', { last: 300 })) items.push(item)
  assert.equal([items.length, items[0], items[299]], [300, 1, 300])
  const heard = client.stream('counter/events.follow', { events: ['rang'] })
  const first = heard.next()
  await client.call('counter/ring', { how: 'dong' })
  assert.is(((await first).value as { value: string }).value, 'dong')
  await heard.return()
  await client.close()
})

test('the service of the guide takes and gives arrays', async () => {
  const client = lab.client()
  assert.equal(await client.call('mean/smooth', { values: Float64Array.of(0, 3, 0, 3, 0) }), Float64Array.of(1, 2, 1))
  await client.close()
})

/** What this process writes and reads meanwhile; its client is in it. */
async function movedBy(work: () => Promise<unknown>) {
  const moved = () => {
    const io = readFileSync('/proc/self/io', 'utf8')
    return ['wchar', 'rchar'].map((name) => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(io)?.[1])) as [
      number,
      number,
    ]
  }
  const before = moved()
  await work()
  const after = moved()
  return { sent: after[0] - before[0], taken: after[1] - before[1] }
}

test('arrays go to a daemon and come back as their bytes, in CBOR; without cbor2 in JSON, which its log says', async () => {
  const client = lab.client()
  const values = Float64Array.from({ length: 500_000 }, (_, i) => i / 7)
  for (const [service, isBinary] of [
    ['counter', true],
    ['plain', false],
  ] as const) {
    let answer: unknown
    const { sent, taken } = await movedBy(async () => {
      answer = await client.call(`${service}/twice`, { values })
    })
    assert.equal(answer, Float64Array.from([...values, ...values]))
    const most = isBinary ? 1.05 : 1.4
    assert.ok(sent < 4e6 * most && taken < 8e6 * most, `${service}: ${sent} and ${taken} bytes`)
    if (!isBinary) assert.ok(sent > 5e6 && taken > 10e6, `${sent} and ${taken} bytes`)
  }
  const said = (daemon: string) => lab.daemons.lines([daemon], 2000).filter(({ text }) => text.includes('cbor2'))
  assert.equal([said('py').length, said('text').length], [0, 1])
  await client.close()
})

test('values mean the same in CBOR as in JSON', async () => {
  const client = lab.client()
  const typed = [Int8Array, Uint8Array, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array]
  const values = [
    ...[0, -1, 3, 5e9, -(2 ** 53 - 1), 1e300, 1.5, 'é', '', true, null, [], {}],
    ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
    ...[
      { $type: 'float64', $$type: [{ $type: 1 }] },
      { list: [1, [2.5, 'x']], none: null },
    ],
    ...typed.map((type) => type.of(1, 2, 127)),
    ...[BigInt64Array.of(-(2n ** 62n), 5n), BigUint64Array.of(2n ** 63n)],
  ]
  for (const service of ['counter', 'plain'])
    assert.equal(await client.call(`${service}/same`, { value: values }), values)
  const kinds = (service: string) =>
    Promise.all(values.map((value) => client.call(`${service}/kind`, { value }))) as Promise<string[]>
  assert.equal(await kinds('counter'), await kinds('plain'))
  assert.is((await kinds('counter'))[3], 'int')
  await client.close()
})

test('clients have one object together, or one for each connection, or for each call', async () => {
  const [first, second] = [lab.client(), lab.client()]
  assert.equal([await first.call('mine/add'), await first.call('mine/add'), await second.call('mine/add')], [1, 2, 1])
  assert.equal([await first.call('each/add'), await first.call('each/add')], [1, 1])
  for await (const item of first.stream('each/up_to', { last: 5 })) if (item === 2) break
  await first.close()
  // The objects of the two calls and of the stream that was left, and of each question before this one.
  for (let asked = 0; ; asked++) {
    const ended = Number(await second.call('each/ends'))
    assert.ok(ended === 2 + asked || ended === 3 + asked)
    if (ended === 3 + asked) break
  }
  for (let ended = 0; ended !== 1; ended = Number(await second.call('mine/ends'))) assert.is(ended, 0)
  await second.close()
})

test('whatever a service raises, returns or prints, its caller has an answer or a typed error, and nobody else notices', async () => {
  const client = lab.client()
  const go = (how: string, options = {}) => client.call('mine/go', { how }, options)
  const codeOf = async (how: string) => (await rejection(go(how))).code
  const codes: string[] = []
  for (const how of ['error', 'own', 'exit', 'huge', 'memory', 'set', 'cycle', 'half']) codes.push(await codeOf(how))
  assert.equal(codes, [
    'service-failed',
    'lamp-off',
    'service-failed',
    'message-too-large',
    'service-failed',
    'value-unwritable',
    'value-unwritable',
    'value-unwritable',
  ])
  assert.match((await rejection(go('name'))).message, /OSError: no file \?$/)
  assert.match((await rejection(go('error'))).message, /^mine\/go failed: RuntimeError: out of range$/)
  assert.ok(Number.isNaN(await go('nan')))
  assert.is(await go('long'), 'é'.repeat(200_000))
  assert.is(await client.call('counter/go', { how: 'print' }), 9)
  await untilWritten(lab, 'py', 'hello')
  await takesTheirShare(lab, 'counter', { action: 'wait', args: { seconds: 3600 } })
  // One that never returns keeps its object; the others of the process answer.
  assert.is((await rejection(go('sleep', { timeoutMs: 50 }))).code, 'deadline-exceeded')
  assert.is(
    (await rejection(client.call('counter/wait', { seconds: 3600 }, { timeoutMs: 50 }))).code,
    'deadline-exceeded',
  )
  assert.ok(Number(await client.call('counter/add')) > 0)
  assert.is(daemonOf(lab, 'py')?.ends, 0)
  await client.close()
  assert.not.match(JSON.stringify([lab.daemons.list(), lab.log.lines]), /swordfish/)
  assert.equal(await lab.daemons.down(['py']), [{ daemon: 'py', change: 'stopped' }])
})

test.run()

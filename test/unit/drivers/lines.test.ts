/** Line protocols: descriptions, wrong ones, what they make of bytes, and instruments that are silent, late or confused. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { driverFolder } from '@fernlab/edge/drivers/described/models'
import type { Instrument } from '@fernlab/edge/drivers/driver'
import { parseLineDescription } from '@fernlab/edge/drivers/lines/description'
import { createLinesDriver } from '@fernlab/edge/drivers/lines/lines'
import type { Fault } from '@fernlab/firmware-bridge/emulated/wire-device'
import { createWorlds } from '@fernlab/firmware-bridge/emulated/worlds'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import type { OpenTransport } from '@fernlab/firmware-bridge/transports/transport'
import { instrumentSpecSchema } from '@fernlab/shared/capabilities/signals'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { cpuMs } from '../../support/cpu-time.ts'
import { suite } from '../../support/suite.ts'

const test = suite('line protocols', { timeoutMs: 15_000 })
const never = new AbortController().signal

const good = `title: A balance
source: Its manual, page 3
settings:
  channel: { type: integer, minimum: 1, maximum: 4, default: 2 }
connection: { timeoutMs: 150, quietMs: 20 }
acknowledge: { pattern: '^OK$', refused: '^ERR (.*)$' }
initialise: ['U{channel}', { send: HELLO, answer: none }]
signals:
  weight: { unit: g, query: 'W{channel}', pattern: '^S (?P<stable>[SD]) (?P<value>\\S+) g$' }
  stable: { dtype: boolean, query: 'W{channel}', pattern: '^S ([SD])', words: { 'true': S, 'false': D } }
  raw: { query: { hex: 'FF 01' }, bytes: 3, pattern: '^ff([0-9a-f]{4})$', number: signed-hex, scale: 0.5 }
  tare: { unit: g, set: 'T{channel} {value}', query: 'T{channel}', pattern: '^T (\\S+)$', decimals: 2 }
  light: { dtype: boolean, set: 'L {value}', answer: none }
actions:
  zero: { arguments: { count: { type: integer, minimum: 1, maximum: 9 } }, commands: ['Z {count}', { hex: '01 02' }] }
`

interface Scripted {
  readonly sent: string[]
  readonly openTransport: OpenTransport
}

/** Answers by what was sent: lines as they are, bytes by their hexadecimal digits. */
function wire(answer: (sent: string, say: (bytes: string | Uint8Array) => void) => void): Scripted {
  const sent: string[] = []
  const openTransport: OpenTransport = async () => {
    let listener: (bytes: Uint8Array) => void = () => {}
    const say = (bytes: string | Uint8Array) =>
      setImmediate(() => listener(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes))
    return {
      write: async (bytes) => {
        const text = Buffer.from(bytes).toString('latin1')
        const what = text.endsWith('\n') ? text.slice(0, -1) : Buffer.from(bytes).toString('hex')
        sent.push(what)
        answer(what, say)
      },
      onData: (listen) => {
        listener = listen
      },
      onClose: () => {},
      close: async () => {},
    }
  }
  return { sent, openTransport }
}

/** A balance that knows what `good` says. */
const balance = () =>
  wire((sent, say) => {
    if (sent === 'W2') say('S S 12.50 g\r\n')
    else if (sent === 'ff01') say(Uint8Array.of(0xff, 0xff, 0xfe))
    else if (sent === 'T2') say('T 3.00\n')
    else if (/^T2 9/.test(sent)) say('ERR too heavy\n')
    else if (/^(U2|T2 .*|Z \d|0102)$/.test(sent)) say('OK\n')
  })

async function withInstrument<T>(
  description: string,
  openTransport: OpenTransport,
  work: (instrument: Instrument) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'fernlab-lines-'))
  await writeFile(join(folder, 'mine.yaml'), description)
  const context = { name: 'inst-1', clock: systemClock, log: silentLog, openTransport, configFolder: folder }
  const transport = { kind: 'tcp', host: 'instrument.example', port: 5555 }
  try {
    const instrument = await createLinesDriver().create({ model: './mine.yaml', transport }, context)
    try {
      await instrument.open(never)
      return await work(instrument)
    } finally {
      await instrument.close()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

test('every description that comes with Fernlab is valid and makes an instrument', async () => {
  const files = await readdir(await driverFolder('lines', 'models'))
  assert.ok(files.length > 0)
  for (const file of files) {
    const instrument = await createLinesDriver().create(
      { model: file.replace('.yaml', ''), transport: { kind: 'tcp', host: 'instrument.example', port: 5555 } },
      { name: 'inst-1', clock: systemClock, log: silentLog, openTransport: balance().openTransport, configFolder: '.' },
    )
    assert.ok(instrumentSpecSchema.safeParse(instrument.spec).success, file)
  }
})

test('sends what the description says, and reads what its patterns find', async () => {
  const { sent, openTransport } = balance()
  await withInstrument(good, openTransport, async (instrument) => {
    // The first question is its greeting.
    assert.equal(sent, ['W2', 'U2', 'HELLO'])
    sent.length = 0
    const values = Object.entries(await instrument.read(['weight', 'stable', 'raw', 'tare'], never))
    assert.equal(Object.fromEntries(values.map(([name, { value }]) => [name, value])), {
      weight: 12.5,
      stable: true,
      raw: -1,
      tare: 3,
    })
    await instrument.set('tare', 1.239, never)
    await instrument.set('light', true, never)
    await instrument.call('zero', { count: 3 }, never)
    assert.equal(sent, ['W2', 'ff01', 'T2', 'T2 1.24', 'L 1', 'Z 3', '0102'])
    assert.is(instrument.identify, undefined)
  })
})

test('a refusal rejects with the instrument’s own reason, and what follows is answered rightly', async () => {
  const { openTransport } = balance()
  await withInstrument(good, openTransport, async (instrument) => {
    const refused = await rejection(instrument.set('tare', 9, never))
    assert.is(refused.code, 'instrument-refused')
    assert.match(refused.message, /inst-1 refused T2 9\.00: too heavy/)
    assert.is((await instrument.read(['weight'], never)).weight?.value, 12.5)
  })
})

test('what keeps people safe is sent before an answer is waited for, and a refusal among it is told', async () => {
  const waiting: (() => void)[] = []
  const { sent, openTransport } = wire((message, say) => {
    if (message === 'W2') say('S S 1 g\n')
    else if (message === 'U2') say('OK\n')
    else if (message.startsWith('T2 ')) {
      waiting.push(() => say(message === 'T2 9.00' ? 'ERR too heavy\n' : 'OK\n'))
      if (waiting.length === 2) for (const answer of waiting.splice(0)) answer()
    }
  })
  const twice = good.replace(
    "  light: { dtype: boolean, set: 'L {value}', answer: none }",
    "  other: { unit: g, set: 'T2 {value}', decimals: 2 }",
  )
  await withInstrument(twice, openTransport, async (instrument) => {
    const set = (tare: number, other: number) =>
      instrument.setTogether?.(
        new Map([
          ['tare', tare],
          ['other', other],
        ]),
        never,
      ) ?? Promise.resolve()
    await set(1, 2)
    assert.equal(sent.slice(-2), ['T2 1.00', 'T2 2.00'])
    assert.is((await rejection(set(1, 9))).code, 'instrument-refused')
    assert.is((await instrument.read(['weight'], never)).weight?.value, 1)
  })
})

test('a late answer is never taken for that to the next question', async () => {
  let late = false
  const { openTransport } = wire((message, say) => {
    if (message === 'W2' && late) {
      late = false
      setTimeout(() => say('S S 999 g\n'), 170)
    } else if (message === 'W2') say('S S 1 g\n')
    else if (message === 'T2') say('T 3\n')
    else if (message === 'U2') say('OK\n')
  })
  await withInstrument(good, openTransport, async (instrument) => {
    late = true
    assert.is((await rejection(instrument.read(['weight'], never))).code, 'instrument-silent')
    for (let i = 0; i < 3; i++) {
      const { weight, tare } = await instrument.read(['weight', 'tare'], never)
      assert.equal([weight?.value, tare?.value], [1, 3])
    }
  })
})

test('echoes and chatter are left out, messages keep their distance, and ends of lines are as described', async () => {
  const at: number[] = []
  const { sent, openTransport } = wire((message, say) => {
    at.push(performance.now())
    const text = Buffer.from(message, 'hex').toString().replace('\r', '')
    say(`${text}\r# chatter\r\nval ${text}=4\x03`)
  })
  const description = `title: Chatty
source: none
connection: { terminator: cr, answerTerminator: { hex: '03' }, echo: false, gapMs: 30, quietMs: 10, timeoutMs: 300 }
signals:
  a: { query: A, pattern: 'val A=(\\d)' }
  b: { query: B, pattern: 'val B=(\\d)' }
`
  await withInstrument(description, openTransport, async (instrument) => {
    const { a, b } = await instrument.read(['a', 'b'], never)
    assert.equal([a?.value, b?.value], [4, 4])
    assert.equal(sent, ['410d', '410d', '420d'])
    for (let i = 1; i < at.length; i++) assert.ok((at[i] ?? 0) - (at[i - 1] ?? 0) > 28)
  })
})

test('an answer of bytes whose check byte is wrong is no reading', async () => {
  let co2 = 'ff8601c100000000b8'
  const { openTransport } = wire((_, say) => say(Buffer.from(co2, 'hex')))
  const model = 'winsen-mh-z19'
  const context = { name: 'air', clock: systemClock, log: silentLog, openTransport, configFolder: '.' }
  const transport = { kind: 'tcp', host: 'instrument.example', port: 5555 }
  const instrument = await createLinesDriver().create({ model, transport }, context)
  await instrument.open(never)
  assert.is((await instrument.read(['co2'], never)).co2?.value, 449)
  co2 = co2.replace('01c1', '81c1')
  assert.is((await rejection(instrument.read(['co2'], never))).code, 'reply-garbled')
  await instrument.close()
})

test('a pattern that would go back and forth for years is done at once', async () => {
  const { openTransport } = wire((message, say) => {
    if (message === 'A') say(`${'a'.repeat(4000)}!\n`)
    else say('B 1\n')
  })
  const description = `title: Evil
source: none
connection: { timeoutMs: 5000, quietMs: 10 }
signals:
  b: { query: B, pattern: '^B (\\d)' }
  a: { query: A, dtype: string, pattern: '^((a+)+)+$' }
`
  await withInstrument(description, openTransport, async (instrument) => {
    const startedMs = cpuMs()
    assert.is((await rejection(instrument.read(['a'], never))).code, 'reply-garbled')
    assert.ok(cpuMs() - startedMs < 1000)
  })
})

const wrong: readonly (readonly [string, string, RegExp])[] = [
  ["'^T (\\S+)$'", "'^T(?=x)'", /mine\.yaml:\d+ signals\.tare\.pattern: .*without look-around and back-references/],
  ["'^T (\\S+)$'", "'(a)\\1'", /signals\.tare\.pattern: .*back-references/],
  ["'^T (\\S+)$'", "'((x{90}){9}){9}'", /signals\.tare\.pattern: /],
  ["pattern: '^OK$'", "pattern: '('", /acknowledge\.pattern: /],
  ['T{channel} {value}', 'T{chanel} {value}', /signals\.tare\.set: \{chanel\} is neither a setting nor known here/],
  ['T{channel} {value}', 'T{channel}', /signals\.tare\.set: lacks \{value\}/],
  ["hex: 'FF 01'", "hex: 'FF 0'", /signals\.raw\.query\.hex: must be bytes/],
  [', bytes: 3', ', byte: 3', /signals\.raw\.byte/],
  [
    "query: 'T{channel}', pattern: '^T (\\S+)$', ",
    "query: 'T{channel}', ",
    /signals\.tare: a signal that is read needs a pattern/,
  ],
  ["{ hex: '01 02' }", "{ hex: '01 02', bytes: 4 }", /actions\.zero\.commands\[1\]\.bytes: needs an answer/],
  ['{ dtype: boolean, set', '{ dtype: string, set', /signals\.light: text that can be set needs words/],
  [
    "words: { 'true': S, 'false': D }",
    "words: { 'true': S, 'maybe': D }",
    /signals\.stable\.words\.maybe: must be true or false/,
  ],
  ["pattern: '^S ([SD])'", "bytes: 2, pattern: '^S ([SD])'", /signals\.stable\.bytes: differs from that of weight/],
  ['timeoutMs: 150', 'timeoutMs: 1', /connection\.timeoutMs/],
]
for (const [from, to, issue] of wrong) {
  test(`refuses, with its place, a description with ${to}`, () => {
    assert.ok(good.includes(from), from)
    assert.equal(parseLineDescription(good).issues, [])
    const { description, issues } = parseLineDescription(good.replace(from, to), { file: 'mine.yaml' })
    assert.is(description, undefined)
    assert.match(issues.map(({ file, line, path, message }) => `${file}:${line} ${path}: ${message}`).join('\n'), issue)
  })
}

for (const [fault, code] of [
  [{ kind: 'silent', answers: 1 }, 'instrument-silent'],
  [{ kind: 'slow', ms: 260, answers: 1 }, 'instrument-silent'],
  [{ kind: 'truncated', answers: 1 }, 'instrument-silent'],
  [{ kind: 'garbage', answers: 1 }, 'reply-garbled'],
] as const satisfies readonly (readonly [Fault, string])[]) {
  test(`${fault.kind} once: the question fails, and those after it have their own answers`, async () => {
    const worlds = createWorlds({ clock: systemClock })
    const device = worlds.world('heat').device('hotplate')
    const openTransport = createOpenTransport({ worlds, clock: systemClock, log: silentLog })
    const instrument = await createLinesDriver().create(
      { model: 'fern-hotplate', timeoutMs: 200, transport: { kind: 'emulated', world: 'heat', device: 'hotplate' } },
      { name: 'plate-1', clock: systemClock, log: silentLog, openTransport, configFolder: '.' },
    )
    await instrument.open(never)
    await instrument.set('setpoint', 55, never)
    device.setFault(fault)
    assert.is((await rejection(instrument.read(['temperature'], never))).code, code)
    assert.is((await instrument.read(['setpoint'], never)).setpoint?.value, 55)
    assert.match((await instrument.identify?.(never)) ?? '', /^Fernlab HP-500/)
    await instrument.close()
  })
}

test('an instrument that falls silent for good is offline, and back once it answers', async () => {
  const worlds = createWorlds({ clock: systemClock })
  const device = worlds.world('heat').device('hotplate')
  const openTransport = createOpenTransport({ worlds, clock: systemClock, log: silentLog })
  const instrument = await createLinesDriver().create(
    { model: 'fern-hotplate', timeoutMs: 50, transport: { kind: 'emulated', world: 'heat', device: 'hotplate' } },
    { name: 'plate-1', clock: systemClock, log: silentLog, openTransport, configFolder: '.' },
  )
  await instrument.open(never)
  const seen: boolean[] = []
  const back = new Promise<void>((resolve) => {
    instrument.onConnection?.((up) => {
      seen.push(up)
      if (up) resolve()
    })
  })
  device.setFault({ kind: 'silent' })
  await rejection(instrument.read(['temperature'], never))
  await rejection(instrument.read(['temperature'], never))
  assert.equal(seen, [false])
  device.setFault(undefined)
  await back
  assert.equal(seen, [false, true])
  assert.type((await instrument.read(['temperature'], never)).temperature?.value, 'number')
  await instrument.close()
})

test('another instrument than described is refused with what it says', async () => {
  const { openTransport } = wire((_, say) => say('ACME 12\n'))
  const description = `title: A balance
source: none
connection: { timeoutMs: 100, quietMs: 10 }
identity: { query: ID, pattern: '^Kern' }
signals:
  a: { query: A, pattern: '.*' }
`
  const refused = await rejection(withInstrument(description, openTransport, async () => {}))
  assert.is(refused.code, 'instrument-unexpected')
  assert.match(refused.message, /is not a A balance: it says "ACME 12"/)
})

test.run()

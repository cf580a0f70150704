/** Instruments that talk unasked: what they say, when it is too old, and that it is never taken for an answer. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Instrument } from '@fernlab/edge/drivers/driver'
import { parseLineDescription } from '@fernlab/edge/drivers/lines/description'
import { createLinesDriver } from '@fernlab/edge/drivers/lines/lines'
import type { OpenTransport } from '@fernlab/firmware-bridge/transports/transport'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { recordingLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { suite } from '../../support/suite.ts'

const test = suite('instruments that talk unasked', { timeoutMs: 15_000 })
const never = new AbortController().signal

const talker = `title: A sketch
source: none
connection: { timeoutMs: 1000 }
signals:
  temperature: { unit: Cel, says: 'T=(-?[0-9.]+)', staleS: 5 }
  humidity: { unit: '%', says: 'H=([0-9.]+)', staleS: never }
  door: { dtype: boolean, says: '^DOOR (OPEN|SHUT)$', words: { 'true': OPEN, 'false': SHUT }, staleS: never }
  opened: { dtype: integer, says: '^DOOR OPEN$', number: count }
`
const asked = `title: A balance
source: none
connection: { timeoutMs: 1000, quietMs: 50 }
acknowledge: { pattern: '^OK$', refused: '^ERR (.*)$' }
signals:
  weight: { unit: g, says: '^S +(-?[0-9.]+) g$' }
  mode: { query: 'M?', pattern: '^M=(\\d)$', set: 'M {value}', decimals: 0 }
`

interface Wired {
  readonly instrument: Instrument
  readonly clock: ManualClock
  readonly log: ReturnType<typeof recordingLog>
  /** What the instrument sends, at once. */
  say(text: string): void
  readonly sent: string[]
  hangUp(): void
}

/** An instrument on a wire of which the test is the other end. */
async function wired(
  description: string,
  answer: (message: string, say: (text: string) => void) => void,
  work: (wire: Wired) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'fernlab-unasked-'))
  const clock = new ManualClock()
  const log = recordingLog()
  const sent: string[] = []
  let listener: (bytes: Uint8Array) => void = () => {}
  let closed: (reason: Error | undefined) => void = () => {}
  const say = (text: string) => listener(Buffer.from(text, 'latin1'))
  const openTransport: OpenTransport = async () => ({
    write: async (bytes) => {
      const message = Buffer.from(bytes).toString('latin1').trim()
      sent.push(message)
      answer(message, (text) => setImmediate(() => say(text)))
    },
    onData: (listen) => {
      listener = listen
    },
    onClose: (listen) => {
      closed = listen
    },
    close: async () => {},
  })
  try {
    await writeFile(join(folder, 'mine.yaml'), description)
    const context = { name: 'inst', clock, log, openTransport, configFolder: folder }
    const config = { model: './mine.yaml', transport: { kind: 'tcp', host: 'instrument.example', port: 5555 } }
    const instrument = await createLinesDriver().create(config, context)
    try {
      await settled(clock, instrument.open(never))
      await work({ instrument, clock, log, say, sent, hangUp: () => closed(new Error('unplugged')) })
    } finally {
      await settled(clock, instrument.close())
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Lets the clock go on until it has settled. */
async function settled<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  let isDone = false
  const done = work.finally(() => {
    isDone = true
  })
  done.catch(() => {})
  while (!isDone) {
    for (let turn = 0; turn < 20 && !isDone; turn++) await new Promise((resolve) => setImmediate(resolve))
    if (!isDone) await clock.advance(10)
  }
  return await done
}

const nothing = () => {}

test('gives the newest value with the time at which it came, and says when it is too old', () =>
  wired(talker, nothing, async ({ instrument, clock, say }) => {
    assert.equal(
      instrument.spec.signals.map(({ name, access, kind }) => [name, access, kind]),
      ['temperature', 'humidity', 'door', 'opened'].map((name) => [name, 'read', 'reading']),
    )
    say('T=23.4 H=')
    say('40\r\nT=23.5')
    const first = clock.now() / 1000
    say(' H=41\n')
    await clock.advance(3000)
    const { temperature, humidity } = await instrument.read(['temperature', 'humidity'], never)
    assert.equal(
      [temperature, humidity],
      [
        { value: 23.5, time: first },
        { value: 41, time: first },
      ],
    )
    await clock.advance(2500)
    const stale = await rejection(instrument.read(['temperature'], never))
    assert.equal([stale.code, stale.kind], ['reading-stale', 'instrument'])
    assert.match(stale.message, /^inst: temperature was last said 5\.5 s ago, and is good for 5 s$/)
    assert.is((await instrument.read(['humidity'], never)).humidity?.value, 41)
  }))

test('waits for what has not been said yet, and no longer than an answer may take', () =>
  wired(talker, nothing, async ({ instrument, clock, say }) => {
    const reading = instrument.read(['temperature'], never)
    await new Promise((resolve) => setImmediate(resolve))
    say('T=20\n')
    assert.is((await settled(clock, reading)).temperature?.value, 20)
    const late = await rejection(settled(clock, instrument.read(['humidity'], never)))
    assert.match(late.message, /^inst: humidity has not been said since the port was opened$/)
    const ending = new AbortController()
    const given = instrument.read(['humidity'], ending.signal)
    await new Promise((resolve) => setImmediate(resolve))
    ending.abort(new Error('nobody waits'))
    assert.is(await given.catch((thrown) => thrown), ending.signal.reason)
  }))

test('a first line that may be the rest of another gives no value; one that is surely whole does', () =>
  wired(
    talker.replace("'T=(-?[0-9.]+)'", () => "'([-+]?[0-9.]+) degrees$'").replace("'H=([0-9.]+)'", () => "'^([0-9]+)$'"),
    nothing,
    async ({ instrument, clock, say, hangUp }) => {
      const again = async (first: string) => {
        const back = new Promise<void>((resolve) => {
          instrument.onConnection?.((up) => {
            if (up) resolve()
          })
        })
        hangUp()
        await settled(clock, back)
        say(first)
      }
      for (const first of ['4 degrees\n', '.4 degrees\n', '23.4 degrees\n', '0\n']) {
        await again(first)
        const names = first === '0\n' ? ['humidity'] : ['temperature']
        assert.is((await rejection(settled(clock, instrument.read(names, never)))).code, 'reading-stale', first)
        say('123.4 degrees\n50\n')
        const { temperature, humidity } = await instrument.read(['temperature', 'humidity'], never)
        assert.equal([temperature?.value, humidity?.value], [123.4, 50], first)
      }
      await again('DOOR OPEN\n')
      const { door, opened } = await instrument.read(['door', 'opened'], never)
      assert.equal([door?.value, opened?.value], [true, 1])
      assert.is(instrument.complaint?.(), undefined)
    },
  ))

test('counts events, and keeps the last of them', () =>
  wired(talker, nothing, async ({ instrument, say }) => {
    assert.is((await instrument.read(['opened'], never)).opened?.value, 0)
    say('T=1\nDOOR OPEN\nDOOR SHUT\nDOOR OPEN\n')
    const { opened, door } = await instrument.read(['opened', 'door'], never)
    assert.equal([opened?.value, door?.value], [2, true])
  }))

test('forgets what was said before the connection was lost', () =>
  wired(talker, nothing, async ({ instrument, clock, say, hangUp }) => {
    say('T=20\nDOOR OPEN\n')
    const seen: boolean[] = []
    const back = new Promise<void>((resolve) => {
      instrument.onConnection?.((up) => {
        seen.push(up)
        if (up) resolve()
      })
    })
    hangUp()
    assert.is((await rejection(instrument.read(['temperature'], never))).kind, 'link')
    await settled(clock, back)
    assert.equal(seen, [false, true])
    assert.is((await rejection(settled(clock, instrument.read(['temperature'], never)))).code, 'reading-stale')
    assert.is((await instrument.read(['opened'], never)).opened?.value, 0)
  }))

test('counts what it does not know, tells of it for a while, and logs it once', () =>
  wired(talker, nothing, async ({ instrument, clock, say, log }) => {
    say('=23.1 half a line\n')
    assert.is(instrument.complaint?.(), undefined)
    say('T=20\n')
    for (let i = 0; i < 50; i++) {
      say(`what is ${i}\n`)
      await clock.advance(100)
    }
    assert.match(instrument.complaint?.() ?? '', /does not know: 50 lines so far, the last "what is 49"$/)
    assert.is(log.lines.filter(({ level }) => level === 'warn').length, 1)
    assert.is((await instrument.read(['temperature'], never)).temperature?.value, 20)
    say('x'.repeat(5000))
    say('\nT=21\n')
    assert.match(instrument.complaint?.() ?? '', /longer than 4096 bytes/)
    assert.is((await instrument.read(['temperature'], never)).temperature?.value, 21)
    await clock.advance(600_001)
    assert.is(instrument.complaint?.(), undefined)
  }))

test('looks at so many lines in a second and no more, and is well after a flood', () =>
  wired(talker, nothing, async ({ instrument, clock, say }) => {
    await clock.advance(1000 - (clock.monotonic() % 1000))
    for (let i = 1; i <= 1000; i++) say(`T=${i}\n`)
    assert.is((await instrument.read(['temperature'], never)).temperature?.value, 200)
    assert.match(instrument.complaint?.() ?? '', /says more than 200 lines a second; 800 were left out so far/)
    await clock.advance(1000)
    say('T=5\n')
    assert.is((await instrument.read(['temperature'], never)).temperature?.value, 5)
  }))

test('a value that makes no sense is an error until the next is said, not the one before', () =>
  wired(talker, nothing, async ({ instrument, say }) => {
    say('T=20\nT=1.2.3\n')
    assert.is((await rejection(instrument.read(['temperature'], never))).code, 'reply-garbled')
    say('T=21\n')
    assert.is((await instrument.read(['temperature'], never)).temperature?.value, 21)
  }))

test('what it says between a question and its answer is not the answer, wherever its line begins', async () => {
  let mode = 3
  const line = 'S   12.34 g\r\n'
  for (let cut = 0; cut <= line.length; cut++) {
    let isOpen = false
    await wired(
      asked,
      (message, say) => {
        const [, wanted] = /^M (\d)$/.exec(message) ?? []
        if (wanted !== undefined) mode = Number(wanted)
        const reply = wanted === undefined ? `M=${mode}\r\n` : 'OK\r\n'
        // What began before the question ends after it, and another whole line comes first.
        say(isOpen ? `${line.slice(cut)}${line}${reply}${line.slice(0, cut)}` : reply)
      },
      async ({ instrument, clock, say }) => {
        isOpen = true
        say(line.slice(0, cut))
        for (let i = 0; i < 3; i++) {
          await settled(clock, instrument.set('mode', i, never))
          const { mode: read, weight } = await settled(clock, instrument.read(['mode', 'weight'], never))
          assert.equal([read?.value, weight?.value], [i, 12.34], `cut at ${cut}`)
        }
        assert.is(instrument.complaint?.(), undefined)
      },
    )
  }
})

test('is asked while it talks all the time, also as its port is opened', () => {
  let timer = () => {}
  return wired(
    asked,
    (message, say) => {
      if (message === 'M?') say('M=1\r\n')
    },
    async ({ instrument, clock, say, sent }) => {
      const talk = () => {
        say('S   1.00 g\r\n')
        timer = clock.after(10, talk)
      }
      talk()
      const before = sent.length
      for (let i = 0; i < 5; i++) assert.is((await settled(clock, instrument.read(['mode'], never))).mode?.value, 1)
      // Nothing but the questions: it was in step all the time.
      assert.equal(
        sent.slice(before),
        Array.from({ length: 5 }, () => 'M?'),
      )
      timer()
    },
  )
})

test('a line that is not known brings it out of step, is counted, and no answer is mistaken', () =>
  wired(
    asked,
    (message, say) => {
      if (message === 'M?') say('M=1\r\n')
    },
    async ({ instrument, clock, say, sent }) => {
      const before = sent.length
      say('M=7\r\n')
      assert.is((await settled(clock, instrument.read(['mode'], never))).mode?.value, 1)
      assert.equal(sent.slice(before), ['M?', 'M?'])
      assert.match(instrument.complaint?.() ?? '', /1 lines so far, the last "M=7"/)
    },
  ))

test('a pattern that would go back and forth for years is done', () =>
  wired(
    talker.replace("'T=(-?[0-9.]+)'", () => "'^((a+)+)+$'"),
    nothing,
    async ({ instrument, say }) => {
      for (let i = 0; i < 5; i++) say(`${'a'.repeat(4000)}!\n`)
      assert.match(instrument.complaint?.() ?? '', /does not know: 4 lines so far/)
    },
  ))

const wrong: readonly (readonly [string, string, string, RegExp])[] = [
  [talker, "'T=(-?[0-9.]+)'", "'T=(?=x)'", /mine\.yaml:\d+ signals\.temperature\.says: .*without look-around/],
  [talker, 'staleS: 5', 'staleS: 0', /signals\.temperature\.staleS: /],
  [talker, "says: 'T=(-?[0-9.]+)', ", '', /signals\.temperature: needs set, query or says/],
  [asked, "query: 'M?'", "staleS: 3, query: 'M?'", /signals\.mode\.staleS: is for what it says by itself/],
  [asked, "query: 'M?'", "number: count, query: 'M?'", /signals\.mode\.number: count is for what it says by itself/],
  [asked, "says: '^S", "query: W, pattern: x, says: '^S", /signals\.weight: has query, and says/],
  [asked, "query: 'M?'", "bytes: 3, query: 'M?'", /signals\.mode\.bytes: can not be told from lines that come unasked/],
]
for (const [whole, from, to, issue] of wrong) {
  test(`refuses, with its place, a description with ${to === '' ? 'nothing' : to}`, () => {
    assert.ok(whole.includes(from), from)
    assert.equal(parseLineDescription(whole).issues, [])
    const { description, issues } = parseLineDescription(
      whole.replace(from, () => to),
      { file: 'mine.yaml' },
    )
    assert.is(description, undefined)
    assert.match(issues.map(({ file, line, path, message }) => `${file}:${line} ${path}: ${message}`).join('\n'), issue)
  })
}

test.run()

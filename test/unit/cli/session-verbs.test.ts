import type { SignalSpec } from '@fernlab/shared/capabilities/signals'
import type { Controls } from 'fernlab/cli/controls'
import type { LiveSession } from 'fernlab/cli/live-session'
import { type Driven, performVerb } from 'fernlab/cli/session-verbs'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('what can be done in a session from the command line')

const signal = (name: string, dtype: SignalSpec['dtype']) =>
  [`dmm.${name}`, { name, dtype, unit: 'V', access: 'read' } as SignalSpec] as const
const controls: Controls = {
  signals: new Map([
    ...Array.from({ length: 70 }, (_, at) => signal(`ch${at}`, 'number')),
    signal('trace', 'array'),
    ...Array.from({ length: 60 }, (_, at) => signal(`more${at}`, 'number')),
  ]),
  actions: new Map(),
}

/** A connection that answers each request to read, and keeps what it named. */
function driven() {
  const asked: string[][] = []
  const live = {
    call: async (_method: string, { signals }: { signals: string[] }) => {
      asked.push(signals)
      return { readings: Object.fromEntries(signals.map((key) => [key, { value: 1, unit: 'V', time: 0 }])) }
    },
  } as unknown as LiveSession
  const one: Driven = { live, people: async () => ({ people: [] }), controls: async () => controls }
  return { asked, one }
}

test('all signals are read, as many at once as may be asked for, and no arrays', async () => {
  const { asked, one } = driven()
  const { lines, json } = await performVerb(one, 'read', [])
  assert.equal(
    asked.map(({ length }) => length),
    [64, 64, 2],
  )
  assert.is(lines.length, 130)
  assert.is(Object.keys((json as { readings: object }).readings).length, 130)
  assert.not(asked.flat().includes('dmm.trace'))
  await performVerb(one, 'read', ['dmm.trace']).then(
    () => assert.unreachable(),
    (error) => assert.match(String(error), 'dmm.trace: is an array'),
  )
})

test('controls are one object', async () => {
  const { json } = await performVerb(driven().one, 'controls', [])
  assert.is((json as { controls: unknown[] }).controls.length, 131)
})

test.run()

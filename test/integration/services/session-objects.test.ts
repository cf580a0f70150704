/** The objects that connections have of their own, when the connection ends and what it followed lingers. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { Lingering } from '@fernlab/shared/rpc/peer/lingering'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { suite } from '../../support/suite.ts'
import { configOf, isUp, type LabWithDaemons, labWithDaemons } from './lab-with-daemons.ts'

const test = suite('objects of connections', { timeoutMs: 120_000, hookTimeoutMs: 120_000, fileTimeoutMs: 400_000 })

/** Both write down when an object is made, and when it is closed. */
const TYPESCRIPT = `
import { appendFileSync } from 'node:fs'
import { defineService } from '@fernlab/service'
export const contract = defineService({
  kind: 'noted', version: '1.0',
  actions: { ticks: { arguments: {}, items: { type: 'integer' } }, last: { arguments: {}, result: { type: 'string' } } },
  signals: { level: { unit: '1', dtype: 'integer', shape: [], kind: 'reading', access: 'read' } },
  events: {},
})
export default class {
  level = 1
  constructor({ name, onClose }) {
    appendFileSync(name, 'made ')
    onClose(() => appendFileSync(name, 'closed '))
  }
  last() { return 'here' }
  async *ticks() {
    for (let tick = 0; ; tick++) {
      yield tick
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
}
`
const PYTHON = `
import time
from typing import Iterator

def note(word):
    with open("py", "a") as notes:
        notes.write(word)

class Noted:
    def __init__(self):
        note("made ")

    def close(self):
        note("closed ")

    def last(self) -> str:
        return "here"

    def ticks(self) -> Iterator[int]:
        tick = 0
        while True:
            yield tick
            tick += 1
            time.sleep(0.01)

    @property
    def level(self) -> int:
        return 1
`

let lab: LabWithDaemons
test.before(async () => {
  const session = { instances: 'session' }
  const own = {
    ts: { file: './noted.ts', daemon: 'ts', ...session },
    py: { file: './noted.py', daemon: 'py', ...session },
  }
  lab = await labWithDaemons({ 'noted.ts': TYPESCRIPT, 'noted.py': PYTHON }, configOf({ ts: {}, py: {} }, own))
  await lab.until(() => isUp(lab, 'ts', 'py'))
})
test.after(() => lab.close())

const notesOf = (service: string) => readFileSync(join(lab.folder, service), 'utf8')

for (const service of ['ts', 'py']) {
  test(`${service}: what lingers of a connection ends with its object, and has no other one made`, async () => {
    const lingering = new Lingering({ clock: systemClock })
    const client = () => lab.client('jan', lingering)
    const first = client()
    const options = { lingerMs: 60_000 }
    const followed = first.stream(`${service}/signals.follow`, { signals: ['level'], rateHz: 50 }, options)
    const acted = first.stream(`${service}/ticks`, {}, options)
    for (const stream of [followed, acted]) for (let n = 0; n < 2; n++) await stream.next()
    const places = [followed.place, acted.place]
    await first.close('its cable was pulled')
    const second = client()
    for (const place of places) {
      assert.ok(place !== undefined)
      const resumed = second.resume(place)
      const items = async () => {
        for (let n = 0; n < 50; n++) await resumed.next()
        assert.unreachable('it goes on')
      }
      const { code, message } = await rejection(items())
      assert.is(code, 'session-ended', message)
    }
    while (!notesOf(service).includes('closed')) await systemClock.sleep(20)
    assert.is(notesOf(service), 'made closed ')
    // Its own one is another, and ends as well.
    assert.is(await second.call(`${service}/last`), 'here')
    await second.close()
    while (notesOf(service).split('closed').length < 3) await systemClock.sleep(20)
    assert.is(notesOf(service), 'made closed made closed ')
    assert.is(lingering.size, 0)
  })
}

test.run()

import { createJournal } from '@fernlab/edge/store/journal'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { recordingLog } from '@fernlab/shared/primitives/log'
import type { Result, WriteStatement } from '@fernlab/shared/storage/database'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('the journal')
/** As long as a commit waits for company. */
const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(() => setImmediate(resolve))))
const full = new LabError({ code: 'disk-full', kind: 'configuration', message: 'full', retry: 'later' })

/** A database that commits when told, or refuses. */
const make = () => {
  const clock = new ManualClock()
  const log = recordingLog()
  const groups: unknown[][] = []
  let hold: Promise<void> | undefined
  let refuse = false
  const database = {
    write: async (statements: readonly WriteStatement[]): Promise<readonly Result[]> => {
      if (refuse) throw full
      groups.push(statements.flatMap(({ rows = [] }) => rows.map(([value]) => value)))
      await hold
      return []
    },
  }
  const journal = createJournal({ database, clock, log })
  const one = (value: number) => [{ sql: 'x', params: [value] }]
  return {
    clock,
    log,
    groups,
    journal,
    one,
    hold: (until?: Promise<void>) => (hold = until),
    refuse: (yes: boolean) => (refuse = yes),
  }
}

test('what comes while a commit is under way shares the next one, in order', async () => {
  const { groups, journal, one, hold } = make()
  let go = () => {}
  hold(new Promise((resolve) => (go = resolve)))
  const first = journal.append('page', () => one(1), 10)
  await turn()
  const rest = [2, 3, 4].map((value) => journal.append('page', () => one(value), 10))
  assert.is(journal.pendingBytes, 40)
  await turn()
  assert.equal(groups, [[1]])
  go()
  await Promise.all([first, ...rest])
  assert.equal(groups, [[1], [2, 3, 4]])
  assert.is(journal.pendingBytes, 0)
})

test('a full disk: what must be kept waits and is written later, what may be refused is', async () => {
  const { clock, log, groups, journal, one, refuse } = make()
  const troubles: (string | undefined)[] = []
  journal.onTrouble((trouble) => troubles.push(trouble?.code))
  refuse(true)
  const kept = journal.append('stop', () => one(1))
  const refused = journal.attempt('accept', () => one(2)).catch((error: LabError) => error.code)
  await turn()
  await turn()
  assert.is(await refused, 'disk-full')
  assert.is(await journal.attempt('accept', () => one(3)).catch((error: LabError) => error.code), 'disk-full')
  await clock.advance(3000)
  assert.equal(troubles, ['disk-full'])
  refuse(false)
  await clock.advance(1000)
  await kept
  assert.equal(
    groups.flat().filter((value) => typeof value === 'number'),
    [1],
  )
  assert.equal(troubles, ['disk-full', undefined])
  assert.is(log.lines.length, 2)
  await journal.attempt('accept', () => one(4))
})

test('the disk is found to work again even when nothing waits', async () => {
  const { clock, journal, one, refuse } = make()
  refuse(true)
  await journal.attempt('accept', () => one(1)).catch(() => {})
  refuse(false)
  await clock.advance(1000)
  await turn()
  assert.is(journal.trouble, undefined)
})

test('what may ride along makes no commit of its own for 200 ms', async () => {
  const { clock, groups, journal, one } = make()
  journal.later({ sql: 'y', params: [9] })
  await clock.advance(100)
  await turn()
  assert.equal(groups, [])
  await journal.append('page', () => one(1))
  assert.equal(groups, [[1, 9]])
  journal.later({ sql: 'y', params: [8] })
  await clock.advance(200)
  await turn()
  assert.equal(groups.at(-1), [8])
})

test('waiting for room ends with the signal', async () => {
  const { journal, one, hold } = make()
  hold(new Promise(() => {}))
  void journal.append('page', () => one(1), 100).catch(() => {})
  const controller = new AbortController()
  const waiting = journal.below(50, controller.signal).catch((reason) => reason)
  controller.abort('stopped')
  assert.is(await waiting, 'stopped')
})

test.run()

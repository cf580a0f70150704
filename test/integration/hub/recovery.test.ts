/** Runs that are submitted while the hub reads its memory again after a failed write. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Plan } from '@fernlab/hub/bookings/plan'
import type { CatalogueLab } from '@fernlab/hub/catalogue/catalogue'
import { CompatibilityCache } from '@fernlab/hub/fleet/compatible'
import { FleetBook } from '@fernlab/hub/fleet/fleet-book'
import { createRuns } from '@fernlab/hub/runs/create-runs'
import { createLedger } from '@fernlab/hub/runs/ledger'
import { loadOpenRuns, OpenRuns } from '@fernlab/hub/runs/open-runs'
import { runStatements } from '@fernlab/hub/runs/run-statements'
import { createWaiting } from '@fernlab/hub/runs/waiting'
import { decide } from '@fernlab/hub/scheduling/decide'
import { explain } from '@fernlab/hub/scheduling/explain'
import { defaultRules } from '@fernlab/hub/scheduling/order'
import { Usage } from '@fernlab/hub/scheduling/usage'
import { openStore } from '@fernlab/hub/store/store'
import { createTurn } from '@fernlab/hub/store/turn'
import { systemClock as clock } from '@fernlab/shared/primitives/clock'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog as log } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { admin, until } from './hub-with-node.ts'

const test = suite('submitting while the memory is read again')
const body = { lab: 'small', protocol: 'nothing' }

/** Runs over a database of their own; `reading` holds up the reading of the memory, between its question and its end. */
async function startRuns(folder: string, reading: () => Promise<void>) {
  const store = await openStore({ url: `sqlite:${join(folder, 'hub.db')}`, log })
  const lab = { id: 'small', version: 1, lab: { parts: {} }, protocols: {} } as unknown as CatalogueLab
  const labVersion = async () => {
    await reading()
    return lab
  }
  const open = new OpenRuns()
  const load = async () => {
    const loaded = await loadOpenRuns({ store, clock, labVersion })
    open.replace(loaded, defaultRules, new Usage(defaultRules.windowMs))
  }
  const turn = createTurn({ database: store.database, onFailure: load, clock, log })
  const statements = runStatements(store.db)
  const book = new FleetBook(clock)
  const compatible = new CompatibilityCache(book)
  const notices = { wanted: () => false, publish: () => {} }
  const ledger = createLedger({ turn, statements, runs: open, book, clock, notices })
  const protocol = { digest: 'd', definition: { restart: 'safe' } } as never
  const admitted = {
    lab,
    protocol,
    parameters: {},
    parametersJson: '{}',
    estimatedS: 1,
    priority: 5,
    requirePlace: () => {},
  }
  const runs = createRuns({
    isSuspended: () => false,
    leftOf: () => undefined,
    store,
    turn,
    statements,
    ledger,
    admission: { admit: async () => admitted },
    waiting: createWaiting({
      scheduler: { decide, explain } as never,
      runs: open,
      book,
      compatible,
      benchFreeInS: () => null,
      reserved: () => undefined,
      calendar: () => new Plan(),
      clock,
    }),
    catalogue: { version: labVersion },
    labs: { peek: () => lab, lab: async () => lab, close: () => {} },
    originOf: () => ({ client_address: null, country: null }),
    sendCancel: () => {},
    clock,
  })
  /** A write that the database refuses, so that the memory is read again. */
  const fail = () => turn.add(statements.freeBench, { id: 'none', runId: 'none', at: 0 })
  return { store, turn, open, runs, fail }
}

test('a run with a key is refused for now, or will be started: none is made that nobody knows of', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fernlab-recovery-'))
  let held = false
  let readOn = () => {}
  const lab = await startRuns(folder, () => (held ? new Promise((resolve) => (readOn = resolve)) : Promise.resolve()))
  const before = await lab.runs.submit(admin, body, { idempotencyKey: 'before' })
  assert.ok(lab.open.get(before.id))
  const events = await lab.store.db.selectFrom('run_event').select('data').where('run_id', '=', before.id).execute()
  assert.equal(
    events.map(({ data }) => JSON.parse(data).state),
    ['queued'],
  )
  held = true
  lab.fail()
  // Its write may be under way before the failure is known, or be refused as well: both are right.
  const during = lab.runs.submit(admin, body, { idempotencyKey: 'during' }).then(
    ({ id }) => id,
    (error: LabError) => {
      assert.is(error.code, 'database-recovering')
      return undefined
    },
  )
  await until(() => !lab.turn.open, 'the failure')
  const refused = await lab.runs.submit(admin, body, { idempotencyKey: 'later' }).then(
    () => undefined,
    (error: LabError) => error,
  )
  assert.equal([refused?.code, refused?.retry], ['database-recovering', 'later'])
  const id = await during
  held = false
  readOn()
  await until(() => lab.turn.open, 'the memory')
  const kept = await lab.store.db.selectFrom('run').select('id').orderBy('id').execute()
  assert.equal(
    kept.map((row) => row.id),
    [...lab.open.byId.keys()].sort(),
    'what is on disk is in memory',
  )
  assert.ok(id === undefined || lab.open.get(id))
  assert.is(lab.open.waiting.size, id === undefined ? 1 : 2)
  await lab.store.close()
  await rm(folder, { recursive: true, force: true })
})

test('nobody is told that a run is over which only the memory has ended', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fernlab-recovery-'))
  let held = false
  let readOn = () => {}
  const lab = await startRuns(folder, () => (held ? new Promise((resolve) => (readOn = resolve)) : Promise.resolve()))
  const { id } = await lab.runs.submit(admin, body)
  held = true
  // The write of this turn fails, and with it the run's end.
  const cancelled = lab.runs.cancel(id, admin).catch((error: LabError) => error.code)
  lab.fail()
  assert.is(await cancelled, 'database-recovering')
  await until(() => !lab.turn.open, 'the failure')
  for (const end of [lab.runs.cancel, lab.runs.giveUp]) {
    const refused = await end(id, admin).then(
      ({ state }) => state,
      (error: LabError) => error.code,
    )
    assert.is(refused, 'database-recovering')
  }
  held = false
  readOn()
  await until(() => lab.turn.open, 'the memory')
  assert.is((await lab.runs.cancel(id, admin)).state, 'cancelled')
  await lab.store.close()
  await rm(folder, { recursive: true, force: true })
})

test.run()

/** What a session's end, or memory that was read again, does to calls that wait for its node. */
import type { Caller } from '@fernlab/hub/accounts/caller'
import { type CreateSessionsOptions, createSessions } from '@fernlab/hub/sessions/sessions'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('a session that ends while its node is asked')
const person = (personId: string) => ({ personId, name: personId, role: 'student' }) as unknown as Caller
const session = { stage: 'active', seconds: 300, activeAt: 0, endsAt: 300_000 }

/** One session on a bench; `asked` is what happens while the node is asked. */
function withSession(asked: (runs: Map<string, unknown>) => Promise<void>) {
  const hold = { node: 'n', bench: 'n.b' }
  const run = {
    id: 's',
    personId: 'owner',
    attempt: 1,
    state: 'running',
    hold,
    session,
    lab: { id: 'l', lab: {}, protocols: {} },
  }
  const byId = new Map<string, unknown>([['s', run]])
  const told: string[] = []
  const note = (what: string) => (one: unknown) => void told.push(`${what} ${one === byId.get('s') ? 's' : 'gone'}`)
  const rows = { run_id: 's' }
  const query: object = new Proxy(() => query, {
    get: (_, name) => (name === 'then' ? undefined : name === 'executeTakeFirst' ? async () => rows : query),
    apply: () => query,
  })
  const sessions = createSessions({
    store: { db: query },
    runs: {
      get: async () => ({ id: 's', session: true, person: {}, parameters: {}, lab: 'l' }),
      cancel: note('cancel'),
    },
    ledger: {
      runs: { get: (id: string) => byId.get(id), byId },
      progress: note('progress'),
      requestCancel: note('requestCancel'),
    },
    turn: { open: true, mustBeOpen: () => {}, kept: async () => {}, afterCommit: () => {}, add: () => {} },
    catalogue: { version: async () => undefined },
    book: { nodes: new Map([['n', { ready: true }]]), benches: new Map() },
    compatible: { serves: () => false },
    calls: { call: () => asked(byId) },
    booked: { bookingWith: () => undefined, seen: () => {}, isAwaited: () => false, ending: () => [] },
    bookedFrom: () => Number.POSITIVE_INFINITY,
    sendCancel: () => {},
    clock: new ManualClock(),
    log: silentLog,
  } as unknown as CreateSessionsOptions)
  return { sessions, told }
}

const offline = new LabError({ code: 'node-offline', kind: 'link', retry: 'later', message: 'n is not connected' })

test('more time is noted of the session as it is now, and not of one that is over', async () => {
  for (const [after, expected] of [
    [(runs: Map<string, unknown>) => void runs.set('s', { ...(runs.get('s') as object) }), ['progress s']],
    [(runs: Map<string, unknown>) => void runs.delete('s'), []],
    [(runs: Map<string, unknown>) => void runs.set('s', { ...(runs.get('s') as object), attempt: 2 }), []],
  ] as const) {
    const { sessions, told } = withSession(async (runs) => after(runs))
    await sessions.extend('s', person('staff'), { seconds: 60 }).catch(() => {})
    sessions.close()
    assert.equal(told, [...expected])
  }
})

test('what a partner finishes on a node that is away is not cancelled when it was over before', async () => {
  for (const [after, expected] of [
    [() => {}, ['requestCancel s']],
    [(runs: Map<string, unknown>) => void runs.delete('s'), []],
  ] as const) {
    const { sessions, told } = withSession(async (runs) => {
      after(runs)
      throw offline
    })
    await sessions.finish('s', person('partner')).catch(() => {})
    sessions.close()
    assert.equal(told, [...expected])
  }
})

test.run()

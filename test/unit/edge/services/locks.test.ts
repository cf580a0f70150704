import { createLocks, isOf } from '@fernlab/edge/services/locks/locks'
import { lostLocks } from '@fernlab/edge/services/locks/lost-locks'
import { createNodeService } from '@fernlab/edge/services/node-service'
import type { Caller, ServiceSource } from '@fernlab/edge/services/service-source'
import { createServiceTable } from '@fernlab/edge/services/service-table'
import type { AnnouncedService, ServiceRight } from '@fernlab/shared/contracts/services'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import { recordingLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { rejection } from '../../../contract/driver-contract.ts'
import { suite } from '../../../support/suite.ts'

const test = suite('locks of services in daemons')
const contract = { kind: 'fit', version: '1.0', actions: {}, signals: {}, events: {} }
const context = { signal: new AbortController().signal, wantsStream: false }

function openLocks({ namesPeople = true } = {}) {
  const clock = new ManualClock()
  const log = recordingLog()
  const ended: object[] = []
  const locks = createLocks({
    benches: new Map(),
    namesPeople,
    notOurs: () => undefined,
    onEnded: (one) => ended.push(one),
    clock,
    log,
  })
  const names = ['fit', 'files', 'plot']
  const source: ServiceSource = {
    list: () => names.map((name): AnnouncedService => ({ name, daemon: 'd', state: 'up', tags: [], contract })),
    find: (name) => (name === 'hidden' || name === 'node.daemons' ? { contract, call: () => null } : undefined),
    onChange: () => {},
  }
  const table = createServiceTable({ sources: [source], locks })
  const of = (
    person: string,
    rights: readonly ServiceRight[] = ['read', 'use', 'lock'],
    services = names,
    program = '',
  ) => {
    const may = (right: ServiceRight, service: string) => rights.includes(right) && services.includes(service)
    const caller: Caller = {
      person,
      program: JSON.stringify([person, program]),
      isOwner: false,
      issuedHere: false,
      hold: undefined,
      may,
      require: () => {},
      onEnd: () => {},
    }
    const service = createNodeService({
      site: 'lab',
      node: 'n1',
      addresses: [],
      caller,
      table,
      locks,
      tokens: { sign: async () => '', isKnown: () => true, end: async () => 0 },
      clock,
    })
    const use = (name: string): LabError | undefined => {
      try {
        table.requireUnlocked(name, caller)
        return undefined
      } catch (error) {
        return error as LabError
      }
    }
    const call = async (action: string, args: object) => await service.call(action, { ...args }, context)
    return {
      lock: (services: string[], graceS = 10, more = {}) =>
        call('lock', { services, reason: 'a fit', graceS, ...more }) as Promise<{ services: string[]; id: string }>,
      unlock: (services: string[], id = '') => call('unlock', { services, id }),
      unlockSeen: (services: string[], seen: object[]) => call('unlock', { services, reason: '', id: '', seen }),
      lost: (services: string[]) => call('lost', { services, id: '' }) as Promise<AsyncIterable<{ why: string }>>,
      locks: () => call('locks', {}),
      services: () => call('services', {}) as Promise<AnnouncedService[]>,
      use,
      mayUse: (name: string) => use(name)?.code ?? 'yes',
    }
  }
  const watch = (owner: string, services: string[], signal: AbortSignal, seesWho = false) =>
    lostLocks({ locks, services: services.map((name) => ({ name })), owner, seesWho: () => seesWho, signal })
  return { clock, log, locks, table, names, ended, of, watch }
}
const code = async (work: Promise<unknown>) => (await rejection(work)).code

test('several are locked together or not at all, for their owner alone', async () => {
  const { table, of } = openLocks()
  const [ada, bob] = [of('ada'), of('bob')]
  await ada.lock(['files'])
  assert.is(await code(bob.lock(['fit', 'plot', 'files'])), 'service-locked')
  assert.is(ada.mayUse('fit'), 'yes')
  assert.equal([ada.mayUse('files'), bob.mayUse('files')], ['yes', 'service-locked'])
  // What one has already is no hindrance.
  assert.equal((await ada.lock(['plot', 'files', 'plot'])).services, ['files', 'plot'])
  assert.equal(
    table.list().map(({ state, lock }) => [state, lock?.owner]),
    [
      ['up', undefined],
      ['locked', 'ada'],
      ['locked', 'ada'],
    ],
  )
  assert.is(await code(bob.unlock(['files'])), 'service-locked')
  // One of them is not locked: the other stays so.
  assert.is(await code(ada.unlock(['files', 'fit'])), 'not-locked')
  assert.is(bob.mayUse('files'), 'service-locked')
  await ada.unlock(['files', 'plot'])
  assert.is(bob.mayUse('files'), 'yes')
})

test('a lock is ended also when its service has left, and what is in no list is locked by its name', async () => {
  const { table, names, of } = openLocks()
  const all = ['fit', 'hidden', 'gone', 'node.daemons']
  const [ada, bob] = [of('ada', ['lock'], all), of('bob', ['lock'], all)]
  await ada.lock(['fit', 'hidden'])
  assert.equal([bob.mayUse('fit'), bob.mayUse('hidden')], ['service-locked', 'service-locked'])
  names.splice(names.indexOf('fit'), 1)
  assert.is(await code(bob.unlock(['fit'])), 'service-locked')
  assert.is(await code(ada.lock(['fit'])), 'service-unknown')
  await ada.unlock(['fit', 'hidden'])
  assert.equal([bob.mayUse('fit'), bob.mayUse('hidden')], ['yes', 'yes'])
  assert.is(await code(ada.unlock(['fit'])), 'service-unknown')
  assert.equal(
    [await code(ada.lock(['gone'])), await code(ada.lock(['node.daemons']))],
    ['service-unknown', 'service-unknown'],
  )
  assert.is(table.list().length, 2)
})

test('it takes the right to lock each of them, and that to unlock what another has', async () => {
  const { log, ended, of } = openLocks()
  const ada = of('ada')
  await ada.lock(['fit'])
  assert.is(await code(of('bob', ['read', 'use']).lock(['plot'])), 'right-missing')
  assert.is(await code(of('bob', ['lock'], ['plot']).lock(['plot', 'files'])), 'right-missing')
  assert.is(await code(of('bob', ['read']).unlock(['fit'])), 'right-missing')
  assert.match(
    (await rejection(of('bob', ['read']).unlock(['fit']))).message,
    /^this token does not open fit to unlock: the hub gives the right unlock to admins, instructors and builders, by an API token with the scope builder or admin/,
  )
  assert.is(await code(of('bob', ['lock']).lock([])), 'call-invalid')
  await of('staff', ['unlock']).unlock(['fit'])
  assert.equal(ended, [{ target: 'service fit', owner: 'ada', by: 'staff' }])
  assert.is(of('bob').mayUse('fit'), 'yes')
  assert.ok(log.lines.some(({ level, fields }) => level === 'warn' && 'by' in fields && fields.by === 'staff'))
})

test('no other lock is ended than the one that was seen, and then none', async () => {
  const { clock, table, of } = openLocks()
  const [ada, bob, staff] = [of('ada'), of('bob'), of('staff', ['unlock'])]
  const sinceOf = (name: string) => table.list().find((one) => one.name === name)?.lock?.since ?? ''
  await ada.lock(['fit', 'plot'])
  const seen = ['fit', 'plot'].map((service) => ({ service, since: sinceOf(service) }))
  await clock.advance(1000)
  await ada.unlock(['fit'])
  await bob.lock(['fit'])
  const refused = await rejection(staff.unlockSeen(['plot', 'fit'], seen))
  const since = sinceOf('fit')
  assert.equal([refused.code, refused.details], ['hold-changed', { since, owner: 'bob', by: 'bob', reason: 'a fit' }])
  assert.is(
    refused.message,
    `no lock was ended: service fit is locked by bob since ${since} (a fit), which is another lock than was meant`,
  )
  assert.equal([bob.mayUse('fit'), bob.mayUse('plot')], ['yes', 'service-locked'])
  // Who may not end it is told no more than entries tell.
  assert.equal((await rejection(of('cy', ['lock']).unlockSeen(['fit'], seen))).details, { since })
  await staff.unlockSeen(
    ['plot', 'fit'],
    ['fit', 'plot'].map((service) => ({ service, since: sinceOf(service) })),
  )
  assert.equal([ada.mayUse('fit'), bob.mayUse('plot')], ['yes', 'yes'])
})

test('who has locked what, and why, is for that person and who may end it; others see that it is locked', async () => {
  const { table, of } = openLocks()
  const [ada, bob, staff] = [of('ada'), of('bob', ['read', 'use', 'lock']), of('staff', ['read', 'unlock'])]
  await ada.lock(['fit'])
  const { lock } = table.list()[0] ?? {}
  assert.equal([lock?.owner, lock?.reason], ['ada', 'a fit'])
  for (const [who, seen] of [
    [ada, lock],
    [staff, lock],
    [bob, { since: lock?.since }],
  ] as const) {
    assert.equal(await who.locks(), [{ service: 'fit', lock: seen }])
    const [first, second] = await who.services()
    assert.equal([first?.state, first?.lock, second?.lock], ['locked', seen, undefined])
  }
  // Refusals say no more than entries do.
  const since = lock?.since
  const some = of('bob', ['read', 'use', 'lock'])
  const right = ": to end another's lock takes a token with the right unlock"
  for (const [refusal, more] of [
    [await rejection(some.lock(['plot', 'fit'])), ''],
    [await rejection(some.unlock(['fit'])), right],
    [some.use('fit'), ''],
  ] as const) {
    assert.equal(
      [refusal?.code, refusal?.message, refusal?.details],
      ['service-locked', `service fit is locked by somebody else since ${since}${more}`, { service: 'fit', since }],
    )
  }
  const told = await rejection(of('staff', ['lock', 'unlock']).lock(['fit']))
  assert.is(told.message, `service fit is locked by ada since ${since} (a fit)`)
  assert.equal(told.details, { service: 'fit', since, owner: 'ada', by: 'ada', reason: 'a fit' })
  // A hub's people are ids to its nodes, which are no names.
  const ofHub = openLocks({ namesPeople: false }).of
  await ofHub('ada').lock(['fit'])
  const more = (await rejection(ofHub('staff', ['lock', 'unlock']).lock(['fit']))).details
  assert.equal(Object.keys(more), ['service', 'since', 'owner', 'reason'])
})

test('each lock waits for its owner as long as its own grace, and not at all for one whose token has ended', async () => {
  const { clock, locks, of } = openLocks()
  const [ada, bob] = [of('ada'), of('bob')]
  await ada.lock(['fit'], 3)
  await ada.lock(['plot'], 60)
  locks.left('["ada",""]', false)
  await clock.advance(2999)
  assert.is(bob.mayUse('fit'), 'service-locked')
  locks.came('["ada",""]')
  await clock.advance(60_000)
  assert.is(bob.mayUse('fit'), 'service-locked')
  locks.left('["ada",""]', false)
  await clock.advance(3000)
  assert.equal([bob.mayUse('fit'), bob.mayUse('plot')], ['yes', 'service-locked'])
  locks.came('["ada",""]')
  locks.left('["ada",""]', true)
  await clock.advance(0)
  assert.is(bob.mayUse('plot'), 'yes')
})

test('programs of one person end what they have locked themselves, and not what another has', async () => {
  const { locks, table, of } = openLocks()
  const ofAda = (program: string) => of('ada', undefined, undefined, program)
  const [a, b, bob] = [ofAda('a'), ofAda('b'), of('bob')]
  const first = await a.lock(['fit'], 10, { reason: 'a long fit' })
  const second = await b.lock(['fit', 'plot'], 0, { id: 'of b', reason: 'a look' })
  assert.equal([second.id, first.id.length > 8], ['of b', true])
  assert.is(locks.of({ name: 'fit' })?.reason, 'a long fit')
  // Not locked by that taking, or by another's: nothing is ended.
  assert.is(await code(b.unlock(['plot'], first.id)), 'not-locked')
  assert.is(await code(of('staff', ['unlock']).unlock(['fit'], first.id)), 'not-locked')
  await b.unlock(['fit', 'plot'], second.id)
  assert.equal([bob.mayUse('fit'), bob.mayUse('plot')], ['service-locked', 'yes'])
  assert.is(await code(b.unlock(['fit'], second.id)), 'not-locked')
  // The first goes, and the lock stays with the second.
  await b.lock(['fit'], 10, { id: 'again', reason: 'a look' })
  await a.unlock(['fit'], first.id)
  assert.equal([table.list()[0]?.lock?.owner, table.list()[0]?.lock?.reason], ['ada', 'a look'])
  assert.is(bob.mayUse('fit'), 'service-locked')
  // Without an id it is over for all of them.
  await a.lock(['fit'])
  await a.unlock(['fit'])
  assert.is(bob.mayUse('fit'), 'yes')
  assert.is(await code(b.unlock(['fit'], 'again')), 'not-locked')
  assert.is(await code(a.lock(['fit'], 10, { id: 'x'.repeat(65) })), 'call-invalid')
  // What is asked for twice is one taking, and a person's programs have no more than so many.
  for (let n = 0; n < 64; n++) await a.lock(['fit', 'plot'], 10, { id: `${n}` })
  await a.lock(['fit'], 10, { id: '5' })
  assert.is(await code(a.lock(['files', 'fit'], 10, { id: 'one more' })), 'too-many-locks')
  assert.is(bob.mayUse('files'), 'yes')
})

test('a lock that a program leaves behind ends after its grace, though other programs of the person are there', async () => {
  const { clock, locks, of } = openLocks()
  const [a, b, bob] = [of('ada', undefined, undefined, 'a'), of('ada', undefined, undefined, 'b'), of('bob')]
  await a.lock(['fit', 'plot'], 3)
  await b.lock(['plot'], 3)
  locks.left('["ada","a"]', false)
  await clock.advance(2999)
  assert.is(bob.mayUse('fit'), 'service-locked')
  await clock.advance(1)
  assert.equal([bob.mayUse('fit'), bob.mayUse('plot')], ['yes', 'service-locked'])
  locks.left('["ada","b"]', true)
  await clock.advance(0)
  assert.is(bob.mayUse('plot'), 'yes')
})

test('whoever waits for the end of a lock is told how it came, once, and leaves nothing behind', async () => {
  const { clock, locks, of, watch } = openLocks()
  const ada = of('ada')
  await ada.lock(['fit', 'plot'], 3)
  const stop = new AbortController()
  const lost = watch('ada', ['fit', 'plot'], stop.signal)
  const first = lost.next()
  locks.left('["ada",""]', false)
  await clock.advance(3000)
  const seconds = 'no link of the owner of service fit was there for 3 s'
  assert.equal((await first).value, { service: 'fit', why: 'grace-over', message: seconds })
  assert.equal(((await lost.next()).value as { service: string }).service, 'plot')
  assert.ok((await lost.next()).done)
  // Of one that nobody has known.
  const never = (await watch('ada', ['files'], stop.signal).next()).value as { why: string }
  assert.is(never.why, 'not-known')
  // What is locked again has no end.
  await ada.lock(['fit'], 3)
  const again = watch('ada', ['fit'], stop.signal).next()
  stop.abort()
  assert.ok((await again).done)
})

test('of what a token does not open nothing is told, whether it is there or not', async () => {
  const { of } = openLocks()
  await of('bob').lock(['files'])
  const ada = of('ada', ['read'], ['fit', 'gone'])
  const [there, missing] = await Promise.all(['files', 'nothing'].map((name) => rejection(ada.lost(['fit', name]))))
  assert.equal([there?.code, missing?.code], ['service-not-in-token', 'service-not-in-token'])
  assert.is(there?.message.replace('files', 'nothing'), missing?.message)
  assert.equal(there?.details, missing?.details)
  // Of what it opens it is told, whatever the right that does.
  for (const [right, name] of [
    ['read', 'fit'],
    ['lock', 'gone'],
    ['unlock', 'fit'],
  ] as const) {
    for await (const { why } of await of('ada', [right], [name]).lost([name])) assert.is(why, 'not-known', name)
  }
})

test('whoever hears of locks is told which, and of a program that goes whether anything of it is kept', () => {
  const { locks } = openLocks()
  const told: (readonly string[])[] = []
  locks.onChange((targets) => told.push(targets))
  const caller = { person: 'ada', program: 'p', may: () => true }
  locks.take({ caller, services: [{ name: 'fit' }, { name: 'b-1.psu', bench: 'b-1' }], reason: '', graceMs: 1000 })
  assert.is(told.length, 1)
  const [targets = []] = told
  const services = [
    { name: 'fit' },
    { name: 'plot' },
    { name: 'b-1.dmm', bench: 'b-1' },
    { name: 'b-2.psu', bench: 'b-2' },
  ]
  assert.equal(
    services.map((service) => isOf(targets, service)),
    [true, false, true, false],
  )
  locks.take({ caller, services: [{ name: 'plot' }], reason: '', graceMs: 3000, id: 'longest' })
  assert.equal([locks.left('q', false), locks.left('p', false), locks.left('p', true)], [0, 3000, 0])
})

test('who waits for one lock is not woken by others', async () => {
  const { locks } = openLocks()
  const told: string[] = []
  const taker = (person: string) => ({ person, program: person, may: () => true })
  const take = (person: string, name: string) =>
    locks.take({ caller: taker(person), services: [{ name }], reason: '', graceMs: 0, id: `${person} ${name}` })
  const stop = locks.onChange(() => told.push('fit or files'), [{ name: 'fit' }, { name: 'files' }])
  locks.onChange(() => told.push('any'))
  take('ada', 'plot')
  assert.equal(told.splice(0), ['any'])
  take('ada', 'fit')
  assert.equal(told.splice(0), ['any', 'fit or files'])
  await locks.end([{ name: 'fit' }, { name: 'plot' }], { caller: taker('ada'), reason: '' })
  assert.equal(told.splice(0), ['any', 'fit or files', 'any'])
  stop()
  take('ada', 'files')
  assert.equal(told, ['any'])
})

test.run()

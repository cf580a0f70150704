import { createClient } from '@fernlab/shared/clients/typescript/client'
import type { Directory, Found } from '@fernlab/shared/clients/typescript/directory'
import { Hub } from '@fernlab/shared/clients/typescript/hub'
import { hubDirectory } from '@fernlab/shared/clients/typescript/hub-directory'
import { readContract } from '@fernlab/shared/clients/typescript/read-contract'
import type { Way } from '@fernlab/shared/clients/typescript/ways/way'
import type { DirectoryEntry } from '@fernlab/shared/contracts/directory'
import { localLinks } from '@fernlab/shared/links/local/local-link'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { serveServices } from '@fernlab/shared/rpc/contract/serve-service'
import { resultOf } from '@fernlab/shared/rpc/contract/service-batch'
import { defineService, type ServiceContract } from '@fernlab/shared/rpc/contract/service-contract'
import type { Link } from '@fernlab/shared/rpc/link'
import { createPeer, type Peer } from '@fernlab/shared/rpc/peer/peer'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('a client of services')

const supply = defineService({
  kind: 'supply',
  version: '1.2',
  actions: {
    beep: { arguments: { times: { type: 'integer', minimum: 1 } }, result: { type: 'integer' } },
    read: { arguments: {}, result: { type: 'string' } },
  },
  signals: { voltage: { kind: 'reading', dtype: 'number', shape: [], unit: 'V', access: 'read-set' } },
  events: {},
} as const)

const found = (node: string, name: string, contract: ServiceContract = supply, bench?: string): Found => ({
  id: `${node}/${name}`,
  name,
  node,
  bench,
  contract,
})

const refusal = (code: string) => new LabError({ code, kind: 'caller', message: code })

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => assert.unreachable() as never,
    ({ code }: LabError) => code,
  )

/** A lab of one node, whose directory says what it was asked. */
function lab(listed: readonly Found[], clock = new ManualClock()) {
  const services = [...listed]
  const asked: string[] = []
  const busy = new Set<string>()
  const tokens: unknown[] = []
  const programs = new Set<string | undefined>()
  /** What was locked and unlocked, by the id of the taking. */
  const takings: string[] = []
  const ended = new Set<string>()
  /** Benches of which the person has a hold already, which is answered. */
  const had = new Set<string>()
  let granting: Promise<void> | undefined
  let showing: Promise<void> | undefined
  let hiding: Promise<void> | undefined
  let answering: Promise<void> | undefined
  let unlocking: Promise<void> | undefined
  let releasing: Promise<void> | undefined
  let takesIds = true
  /** Services that another has locked, and such as the node has ended the lock of. */
  const refuse = new Set<string>()
  const goneAtNode = new Map<string, string>()
  let refusing: LabError | undefined
  let links = 0
  let last: Peer | undefined
  const directory: Directory = {
    find: async ({ pattern = '' } = {}) =>
      services.filter(({ name }) => name.startsWith(pattern.replace('*', ''))) as unknown as DirectoryEntry[],
    get: async (name) => {
      const one = services.find((service) => [service.name, service.id].includes(name))
      if (one === undefined) throw new LabError({ code: 'service-unknown', kind: 'caller', message: `no ${name}` })
      return one
    },
    access: async (node, names, lease) => {
      if (showing !== undefined && lease !== undefined) await showing
      if (hiding !== undefined && lease === undefined) await hiding
      if (lease !== undefined && ended.has(lease)) throw refusal('lease-ended')
      if (names.some((name) => !services.some((service) => service.name === name))) throw refusal('service-unknown')
      return { addresses: ['here'], token: [node, ...names, lease ?? '-'].join(' ') }
    },
    hold: async (bench, { lease, reason } = {}) => {
      asked.push(`${lease === undefined ? 'take' : 'renew'} ${bench}${reason === undefined ? '' : ` for ${reason}`}`)
      if (lease !== undefined && refusing !== undefined) throw refusing
      if (lease !== undefined && ended.has(lease)) throw refusal('lease-ended')
      if (granting !== undefined) await granting
      if (busy.has(bench)) throw new LabError({ code: 'bench-busy', kind: 'caller', message: `${bench} is busy` })
      return { lease: `lease of ${bench}`, isResumed: had.has(bench) }
    },
    release: async (bench, { since } = {}) => {
      asked.push(`release ${bench}${since === undefined ? '' : ` ${since}`}`)
      await releasing
    },
  }
  const serve = serveServices(
    (name) => {
      const one = services.find((service) => service.name === name)
      return one === undefined
        ? undefined
        : {
            contract: one.contract,
            call: (action, args) => (action === 'read' ? 'read by an action' : args.times),
            read: async () => ({ voltage: { value: 3.3, time: 1 } }),
          }
    },
    () => true,
  )
  const way: Way = {
    kind: 'websocket',
    refusal: () => undefined,
    connect: async () => {
      links++
      const [mine, its] = localLinks()
      last = createPeer({
        link: its,
        clock,
        serve: async (method, params, context) => {
          if (!method.startsWith('node/')) return serve(method, params, context)
          if (answering !== undefined) {
            asked.push(`asked ${method}`)
            await answering
          }
          if (method === 'node/contract.get')
            return { actions: { lock: { arguments: takesIds ? { id: { type: 'string' } } : {} } } }
          const { services, id } = params as { services: string[]; id?: string }
          if (method === 'node/lock' && services.some((name) => refuse.has(name))) throw refusal('service-locked')
          if (method === 'node/unlock' && unlocking !== undefined) {
            asked.push(`asked ${method}`)
            await unlocking
          }
          asked.push(`${method} ${services}`)
          takings.push(`${method} ${id}`)
          const [gone] = services.flatMap((name) => goneAtNode.get(name) ?? [])
          if (method === 'node/unlock' && gone !== undefined) throw refusal(gone)
          return {}
        },
        signIn: (params) => {
          const { token, program } = params as { token: unknown; program?: string }
          tokens.push(token)
          programs.add(program)
        },
      })
      return Object.assign(mine, { kind: 'websocket' }) as unknown as Link
    },
  }
  const client = createClient({ directory, ways: [way], clock, readContract })
  return {
    client,
    asked,
    busy,
    tokens,
    programs,
    takings,
    ended,
    had,
    services,
    clock,
    links: () => links,
    refuseToRenew: (why: LabError | undefined) => {
      refusing = why
    },
    cut: () => last?.close('the wire broke'),
    grantAfter: (until: Promise<void>) => {
      granting = until
    },
    showAfter: (until: Promise<void>) => {
      showing = until
    },
    /** Links show the hold until then. */
    hideAfter: (until: Promise<void>) => {
      hiding = until
    },
    refuse,
    goneAtNode,
    /** A node of an earlier version. */
    forgetIds: () => {
      takesIds = false
    },
    releaseAfter: (until: Promise<void>) => {
      releasing = until
    },
    answerUnlockAfter: (until: Promise<void>) => {
      unlocking = until
    },
    /** The node itself is silent until then. */
    answerAfter: (until: Promise<void> | undefined) => {
      answering = until
    },
  }
}

test('a service is an object with its actions; what has the name of a member is below `do`', async () => {
  const { client } = lab([found('pi', 'supply')])
  const known = await client.service('supply', supply)
  assert.is(await known.beep({ times: 2 }), 2)
  assert.equal(await known.read(['voltage']), { voltage: { value: 3.3, time: 1 } })
  assert.is(await known.do.read({}), 'read by an action')
  assert.is(known.id, 'pi/supply')
  assert.is(known.way?.kind, 'websocket')
  const met = await client.service('pi/supply')
  assert.is(await met.beep?.({ times: 3 }), 3)
  await client.close()
})

test('a program of another version is refused before it does anything, one that knows less is not', async () => {
  const beep = { arguments: { times: { type: 'string' as const } }, result: { type: 'integer' as const } }
  const { client, links } = lab([found('pi', 'supply')])
  const other = { ...supply, version: '2.0', actions: { beep } }
  await client.service('supply', other).then(
    () => assert.unreachable(),
    (error: LabError) => {
      assert.is(error.code, 'contract-changed')
      assert.match(error.message, /2\.0.*1\.2|1\.2.*2\.0/)
    },
  )
  assert.is(links(), 0)
  await client.service('supply', { ...supply, version: '1.0', actions: { beep: supply.actions.beep }, signals: {} })
  await client.close()
})

test('a service that came back as another version is refused where the program would misunderstand it', async () => {
  const { client, services, cut } = lab([found('pi', 'supply')])
  const met = await client.service('supply')
  await met.read(['voltage'])
  await cut()
  await met.read(['voltage'])
  services[0] = found('pi', 'supply', { ...supply, version: '2.0', actions: {} })
  await met.read(['voltage'])
  await cut()
  const refused = () =>
    met.read(['voltage']).then(
      () => assert.unreachable(),
      ({ code, message }: LabError) => {
        assert.is(code, 'contract-changed')
        assert.match(message, /2\.0.*1\.2/)
      },
    )
  await refused()
  await refused()
  services[0] = found('pi', 'supply')
  await met.read(['voltage'])
  await client.close()
})

test('parts of a bench share a connection, which is opened for each as it comes', async () => {
  const services = ['a.supply', 'a.meter', 'b.supply'].map((name) => found('pi', name, supply, `pi.${name[0]}`))
  const { client, tokens, links } = lab([...services, found('pi', 'fit')])
  for (const name of ['a.supply', 'a.meter', 'b.supply', 'fit']) {
    await (await client.service(name)).beep?.({ times: 1 })
  }
  assert.equal(tokens, ['pi a.supply -', 'pi a.meter a.supply -', 'pi b.supply -', 'pi fit -'])
  assert.is(links(), 3)
  await client.close()
})

test('services that are reached over one connection are called in one message, typed; others are refused unsent', async () => {
  const services = ['a.supply', 'a.meter', 'b.supply'].map((name) => found('pi', name, supply, `pi.${name[0]}`))
  const { client, links, cut, services: listed } = lab(services)
  const one = await client.service('a.supply', supply)
  const other = await client.service('a.meter', supply)
  const outcomes = await client.batch([
    [one, 'beep', { times: 2 }],
    [other, 'read', {}],
    [other, 'signals.read', { signals: ['voltage'] }],
    [one, 'beep', { times: 0 }],
  ])
  // The types are exact: these lines would not compile otherwise.
  const times: number = resultOf(outcomes[0])
  const text: string = resultOf(outcomes[1])
  assert.equal([times, text, resultOf(outcomes[2]).voltage?.value], [2, 'read by an action', 3.3])
  assert.is('error' in outcomes[3] && outcomes[3].error.code, 'call-invalid')
  assert.is(links(), 1)
  const refusal = (work: Promise<unknown>) =>
    work.then(
      () => assert.unreachable('it was done') as never,
      ({ code, message }: LabError) => `${code} ${message}`,
    )
  const far = await client.service('b.supply', supply)
  const across = client.batch([
    [one, 'beep', { times: 2 }],
    [far, 'beep', { times: 2 }],
  ])
  assert.match(await refusal(across), /^call-invalid calls\[1\]: pi\/b\.supply .*pi\/a\.supply/)
  // @ts-expect-error: no such argument
  const wrong = client.batch([[{ ...one }, 'beep', { volts: 2 }]])
  assert.match(await refusal(wrong), /^call-invalid calls\[0\]: pi\/a\.supply is no service of this client/)
  assert.equal(await client.batch([]), [])
  for (const [calls, path] of [
    ['foo', 'calls must be a list of'],
    [[one, 'beep'], 'calls[0] must be'],
    [[['beep', { times: 2 }]], 'calls[0] must be'],
  ]) {
    const said = await refusal(client.batch(calls as never))
    assert.ok(said.startsWith(`call-invalid ${path} [service, 'action', { argument: 1 }]`), said)
  }
  const alone = await refusal(one.batch([['beep', { times: 2 }], 'beep'] as never))
  assert.is(alone, "call-invalid calls[1] must be ['action', { argument: 1 }]")
  assert.is(links(), 1)

  // After a break each of them is looked at again.
  listed[1] = found('pi', 'a.meter', { ...supply, version: '2.0', actions: {} }, 'pi.a')
  await cut()
  const changed = client.batch([
    [one, 'beep', { times: 2 }],
    [other, 'read', {}],
  ])
  assert.match(await refusal(changed), /^contract-changed /)
  await client.close()
})

test('a lock takes its benches and services in one order, renews them, and gives them all back', async () => {
  const services = ['b.supply', 'a.meter', 'a.supply'].map((name) => found('pi', name, supply, `pi.${name[0]}`))
  const { client, asked, tokens, clock } = lab([...services, found('pi', 'fit'), found('pi', 'log')])
  const use = await client.service('a.supply')
  await use.beep?.({ times: 1 })
  const lock = await client.lock(['log', 'b.supply', 'a.supply', 'fit'], { reason: 'a diode' })
  assert.equal(lock.services, ['pi/a.supply', 'pi/b.supply', 'pi/fit', 'pi/log'])
  assert.equal(asked.splice(0), ['take pi.a for a diode', 'take pi.b for a diode', 'node/lock fit,log'])
  // What was open before now belongs to the hold.
  assert.equal(tokens, ['pi a.supply -', 'pi a.supply lease of pi.a', 'pi b.supply lease of pi.b', 'pi fit log -'])
  await clock.advance(60_000)
  assert.equal(asked.splice(0), ['renew pi.a', 'renew pi.b'])
  await lock.release()
  await lock.release()
  assert.equal(asked.splice(0).sort(), ['node/unlock fit,log', 'release pi.a', 'release pi.b'])
  await clock.advance(600_000)
  assert.equal(asked, [])
  await client.close()
})

test('of the parts of a bench one says which hold is meant, and two that say two end none', async () => {
  const parts = ['b.psu', 'b.dmm', 'b.awg'].map((name) => found('pi', name, supply, 'pi.b'))
  const { client, asked } = lab(parts)
  const [one, other] = ['2026-11-28T10:00:00.000Z', '2026-11-28T11:00:00.000Z']
  await client.unlock(['b.psu', 'b.dmm'], { seen: { 'b.psu': one } })
  assert.equal(asked.splice(0), [`release pi.b ${one}`])
  await client.unlock(['b.psu', 'b.dmm'], { seen: { 'b.dmm': one } })
  assert.equal(asked.splice(0), [`release pi.b ${one}`])
  const seen = { 'b.psu': one, 'b.dmm': other }
  const refused = await client.unlock(['b.awg', 'b.psu', 'b.dmm'], { seen }).catch((error: LabError) => error)
  assert.is(refused?.code, 'call-invalid')
  assert.equal(asked, [])
  await client.close()
})

test('of several benches none is ended where the directory has one since another time than was meant', async () => {
  const [one, other] = ['2026-11-28T10:00:00.000Z', '2026-11-28T11:00:00.000Z']
  const held = { person: { id: 'p1', name: 'Bo' }, since: other, reason: 'a sweep' }
  const { client, asked } = lab([
    { ...found('pi', 'a.psu', supply, 'pi.a'), lockedBy: { since: one } },
    { ...found('pi', 'b.psu', supply, 'pi.b'), lockedBy: held },
  ])
  const seen = { 'a.psu': one, 'b.psu': one }
  const refused = await client.unlock(['a.psu', 'b.psu'], { seen }).catch((error: LabError) => error)
  assert.equal([refused?.code, refused?.details], ['hold-changed', { since: other, by: 'Bo', reason: 'a sweep' }])
  assert.match(refused?.message ?? '', /that of pi\.b is another than was meant, Bo has it since .* \(a sweep\)$/)
  assert.equal(asked, [])
  // The same instant, however it is written.
  await client.unlock(['a.psu', 'b.psu'], { seen: { 'a.psu': '2026-11-28T10:00:00Z' } })
  assert.equal(asked, ['release pi.a 2026-11-28T10:00:00Z', 'release pi.b'])
  await client.close()
})

test('each lock ends what it has taken alone, and each client is a program of its own on all its links', async () => {
  const { client, takings, programs, cut } = lab([found('pi', 'fit'), found('pi', 'a.supply', supply, 'pi.a')])
  const first = await client.lock(['fit'])
  const second = await client.lock(['fit', 'a.supply'])
  const ids = takings.map((line) => line.replace('node/lock ', ''))
  assert.is(new Set(ids).size, 2)
  assert.not.ok(ids.includes('undefined'))
  takings.length = 0
  await second.release()
  assert.equal(takings, [`node/unlock ${ids[1]}`])
  await cut()
  await first.release()
  assert.equal(takings[1], `node/unlock ${ids[0]}`)
  assert.is(programs.size, 1)
  assert.not.ok(programs.has(undefined))
  await client.close()
})

for (const code of ['token-refused', 'forbidden', 'sign-in-needed']) {
  test(`a bench is lost when its hub refuses for good to hold it on: ${code}`, async () => {
    const { client, asked, clock, refuseToRenew } = lab([found('pi', 'a.supply', supply, 'pi.a')])
    const lock = await client.lock(['a.supply'])
    refuseToRenew(refusal(code))
    await clock.advance(60_000)
    assert.is((lock.lost.reason as LabError | undefined)?.code, code)
    asked.length = 0
    await clock.advance(600_000)
    assert.equal(asked, [])
    await client.close()
  })
}

test('a bench is held on while its hub is away, for as long as it was given and no longer', async () => {
  const { client, clock, refuseToRenew } = lab([found('pi', 'a.supply', supply, 'pi.a')])
  const lock = await client.lock(['a.supply'])
  refuseToRenew(new LabError({ code: 'hub-unreachable', kind: 'link', retry: 'later', message: 'it is away' }))
  for (let minute = 1; minute < 10; minute++) await clock.advance(60_000)
  assert.not.ok(lock.lost.aborted)
  // A hub that is back gives it the whole time anew.
  refuseToRenew(undefined)
  await clock.advance(60_000)
  refuseToRenew(new LabError({ code: 'hub-unreachable', kind: 'link', retry: 'later', message: 'it is away' }))
  for (let minute = 1; minute < 10; minute++) await clock.advance(60_000)
  assert.not.ok(lock.lost.aborted)
  await clock.advance(60_000)
  assert.is((lock.lost.reason as LabError).code, 'lease-ended')
  assert.match((lock.lost.reason as LabError).message, /pi\.a could not be held on for 10 minutes: it is away/)
  await client.close()
})

test('what may have been taken is in the way of the next lock until it would have ended by itself, and no longer', async () => {
  const { client, asked, clock, grantAfter } = lab([found('pi', 'a.supply', supply, 'pi.a')])
  const silence = Promise.reject(new LabError({ code: 'node-silent', kind: 'link', retry: 'later', message: 'silent' }))
  silence.catch(() => {}) // heard by whoever asks
  grantAfter(silence)
  const refused = async () => {
    const failure = client.lock(['a.supply']).then(
      () => assert.unreachable() as never,
      ({ code }: LabError) => code,
    )
    for (let second = 0; second < 5; second++) await clock.advance(1000)
    return failure
  }
  assert.is(await refused(), 'node-silent')
  assert.is(await refused(), 'node-silent')
  // A hub that answers the same to the same question is no reason to lose the bench for ever.
  for (let minute = 0; minute < 10; minute++) await clock.advance(60_000)
  asked.length = 0
  grantAfter(Promise.resolve())
  const lock = await client.lock(['a.supply'])
  assert.equal(asked, ['take pi.a'])
  await lock.release()
  await client.close()
})

test('a pattern is all that it fits, and nothing where it fits nothing', async () => {
  const services = ['a.supply', 'a.meter', 'b.supply'].map((name) => found('pi', name, supply, `pi.${name[0]}`))
  const { client, asked } = lab(services)
  const lock = await client.lock(['a.*', 'pi/a.supply'])
  assert.equal(lock.services, ['pi/a.meter', 'pi/a.supply'])
  await lock.release()
  assert.equal(asked.splice(0), ['take pi.a', 'release pi.a'])
  for (const pattern of ['c.*', 'other/a.*']) {
    await client.lock(['b.supply', pattern]).then(
      () => assert.unreachable(),
      ({ code }: LabError) => assert.is(code, 'service-unknown'),
    )
  }
  assert.equal(asked, [])
  await client.close()
})

test('names that are none are refused before anybody is asked', async () => {
  const { client, asked } = lab([found('pi', 'fit')])
  const said = (work: Promise<unknown>) =>
    work.then(
      () => assert.unreachable('it was done') as never,
      ({ code, message }: LabError) => `${code} ${message}`,
    )
  for (const name of ['', ' ', null, undefined, 7]) {
    assert.match(await said(client.service(name as never)), /^call-invalid the name of a service is wanted/)
    assert.match(await said(client.lock(['fit', name as never])), /^call-invalid the name of a service is wanted/)
    assert.match(await said(client.unlock([name as never])), /^call-invalid the name of a service is wanted/)
  }
  for (const work of [client.lock([]), client.unlock([])])
    assert.is(await said(work), 'call-invalid at least one service is to be named, and the list is empty')
  assert.match(await said(client.lock('fit' as never)), /^call-invalid a list of services is wanted/)
  assert.equal(asked, [])
})

test('what can not be locked whole is not locked at all', async () => {
  const services = ['a.supply', 'b.supply'].map((name) => found('pi', name, supply, `pi.${name[0]}`))
  const { client, asked, busy, clock } = lab(services)
  busy.add('pi.b')
  await client.lock(['a.supply', 'b.supply']).then(
    () => assert.unreachable(),
    ({ code }: LabError) => assert.is(code, 'bench-busy'),
  )
  assert.equal(asked.splice(0), ['take pi.a', 'take pi.b', 'release pi.a'])
  await clock.advance(600_000)
  assert.equal(asked, [])
  await client.close()
})

test('a client that is closed gives back what it has locked', async () => {
  const { client, asked } = lab([found('pi', 'a.supply', supply, 'pi.a')])
  await client.lock(['a.supply'])
  await client.close()
  assert.equal(asked, ['take pi.a', 'release pi.a'])
})

test('a lock that was taken away is told, not renewed, and keeps nobody from reading or locking again', async () => {
  const { client, asked, ended, clock } = lab([found('pi', 'a.supply', supply, 'pi.a')])
  const supplies = await client.service('a.supply')
  const lock = await client.lock(['a.supply'])
  asked.length = 0
  ended.add('lease of pi.a')
  await clock.advance(60_000)
  assert.equal(asked.splice(0), ['renew pi.a'])
  assert.is((lock.lost.reason as LabError).code, 'lease-ended')
  await clock.advance(600_000)
  assert.equal(asked, [])
  await supplies.read(['voltage'])
  await lock.release()
  assert.equal(asked, [])
  ended.clear()
  await using again = await client.lock(['a.supply'])
  assert.not(again.lost.aborted)
  await client.close()
})

test('a lock that was lost is given back only once the program has the bench again: that one stands', async () => {
  const { client, asked, ended, clock } = lab([found('pi', 'a.supply', supply, 'pi.a')])
  const first = await client.lock(['a.supply'])
  ended.add('lease of pi.a')
  await clock.advance(60_000)
  assert.is((first.lost.reason as LabError).code, 'lease-ended')
  ended.clear()
  const again = await client.lock(['a.supply'])
  asked.length = 0
  await first.release()
  assert.equal(asked, [])
  assert.is(await codeOf(client.lock(['a.supply'])), 'locked-already')
  ended.add('lease of pi.a')
  await clock.advance(60_000)
  assert.equal(asked, ['renew pi.a'])
  assert.is((again.lost.reason as LabError).code, 'lease-ended')
  await client.close()
})

test('since when a lock is that is meant is said of what is to be unlocked alone', async () => {
  const { client, asked } = lab([found('pi', 'fit', supply)])
  const seen = { 'pi/fit': '2026-11-28T10:00:00Z' }
  const error = (await client.unlock(['fit'], { seen }).catch((thrown: unknown) => thrown)) as LabError
  assert.equal([error.code, error.message], ['call-invalid', 'seen: pi/fit is not among what is to be unlocked'])
  assert.equal(asked, [])
})

const someTurns = async () => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}
/** Second by second, so that what is done in each begins before the next. */
const secondsPass = async (clock: ManualClock, seconds: number) => {
  for (let second = 0; second < seconds; second++) {
    await clock.advance(1000)
    await someTurns()
  }
}
/** Takings are answered only once what it returns is called. */
const held = (grantAfter: (until: Promise<void>) => void): (() => void) => {
  let grant = () => {}
  grantAfter(new Promise((resolve) => (grant = resolve)))
  return () => grant()
}
const asking = async (asked: readonly string[]) => {
  while (asked.length === 0) await new Promise((resolve) => setImmediate(resolve))
}

test('a lock that is given up while it is asked for rejects at once, and is given back as soon as it comes', async () => {
  const { client, asked, grantAfter } = lab([found('pi', 'a.supply', supply, 'pi.a')])
  const grant = held(grantAfter)
  const stop = new AbortController()
  const locking = client.lock(['a.supply'], { signal: stop.signal })
  await asking(asked)
  stop.abort(refusal('call-cancelled'))
  assert.is(await codeOf(locking), 'call-cancelled')
  assert.equal(asked, ['take pi.a'])
  grant()
  await someTurns()
  assert.equal(asked, ['take pi.a', 'release pi.a'])

  asked.length = 0
  const grantAgain = held(grantAfter)
  const closing = client.lock(['a.supply'])
  await asking(asked)
  const closed = client.close()
  assert.is(await codeOf(closing), 'client-closed')
  assert.equal(asked, ['take pi.a'])
  grantAgain()
  // Whoever waits for the client to be closed has given back what it got.
  await closed
  assert.equal(asked, ['take pi.a', 'release pi.a'])
})

test('a client that is closed in the middle of a lock has given back what was taken already', async () => {
  const parts = [found('pi', 'a.supply', supply, 'pi.a'), found('pi', 'b.supply', supply, 'pi.b')]
  const { client, asked, grantAfter } = lab(parts)
  const grantFirst = held(grantAfter)
  const locking = codeOf(client.lock(['a.supply', 'b.supply']))
  await asking(asked)
  const grant = held(grantAfter)
  grantFirst()
  while (!asked.includes('take pi.b')) await new Promise((resolve) => setImmediate(resolve))
  const closed = client.close()
  assert.is(await locking, 'client-closed')
  grant()
  await closed
  assert.equal([...asked].sort(), ['release pi.a', 'release pi.b', 'take pi.a', 'take pi.b'])
})

test('a lock that is given up before its node was shown the hold rejects at once, and is given back after that', async () => {
  const { client, asked, tokens, showAfter } = lab([found('pi', 'a.supply', supply, 'pi.a')])
  const use = await client.service('a.supply')
  await use.read(['voltage'])
  let show = () => {}
  showAfter(new Promise((resolve) => (show = resolve)))
  const stop = new AbortController()
  const locking = client.lock(['a.supply'], { signal: stop.signal })
  await asking(asked)
  await someTurns()
  stop.abort(refusal('call-cancelled'))
  assert.is(await codeOf(locking), 'call-cancelled')
  assert.equal(asked, ['take pi.a'])
  show()
  await someTurns()
  assert.equal(asked, ['take pi.a', 'release pi.a'])
  assert.is(tokens.at(-1), 'pi a.supply -')
  await use.read(['voltage'])
  await client.close()
})

test('a lock that is given up after its node was shown the hold is given back once the link shows it no more', async () => {
  const { client, asked, tokens, hideAfter, grantAfter } = lab([
    found('pi', 'a.supply', supply, 'pi.a'),
    found('pi', 'b.supply', supply, 'pi.b'),
  ])
  const stop = new AbortController()
  const granted = { a: () => {}, b: () => {} }
  granted.a = held(grantAfter)
  const locking = client.lock(['a.supply', 'b.supply'], { signal: stop.signal })
  await asking(asked)
  granted.b = held(grantAfter)
  granted.a()
  while (!asked.includes('take pi.b')) await new Promise((resolve) => setImmediate(resolve))
  assert.is(tokens.at(-1), 'pi a.supply lease of pi.a')
  const hide = held(hideAfter)
  stop.abort(refusal('call-cancelled'))
  assert.is(await codeOf(locking), 'call-cancelled')
  // Taken again at once, it waits for that.
  const again = client.lock(['a.supply'])
  await someTurns()
  assert.equal(asked.splice(0), ['take pi.a', 'take pi.b'])
  hide()
  await someTurns()
  assert.equal(asked.splice(0), ['release pi.a', 'take pi.a'])
  granted.b()
  await (await again).release()
  await client.close()
})

/** Once so many have been asked of the node itself, which is silent. */
const untilAsked = async (asked: readonly string[], what: string) => {
  while (!asked.includes(`asked ${what}`)) await new Promise((resolve) => setImmediate(resolve))
}

test('a lock that is given up before its node says what it can do asks for nothing to be locked', async () => {
  const { client, asked, answerAfter } = lab([found('pi', 'fit')])
  const answer = held(answerAfter)
  const stop = new AbortController()
  const locking = client.lock(['fit'], { signal: stop.signal })
  await untilAsked(asked, 'node/contract.get')
  stop.abort(refusal('call-cancelled'))
  assert.is(await codeOf(locking), 'call-cancelled')
  answer()
  await someTurns()
  assert.equal(asked, ['asked node/contract.get'])
  await client.close()
})

/** A lock that is given up while its node is silent about it. */
async function givenUp({ client, asked, answerAfter }: ReturnType<typeof lab>) {
  const answerContract = held(answerAfter)
  const stop = new AbortController()
  const locking = client.lock(['fit'], { signal: stop.signal })
  await untilAsked(asked, 'node/contract.get')
  const answer = held(answerAfter)
  answerContract()
  await untilAsked(asked, 'node/lock')
  stop.abort(refusal('call-cancelled'))
  assert.is(await codeOf(locking), 'call-cancelled')
  asked.length = 0
  return () => {
    answerAfter(undefined)
    answer()
  }
}

test('a lock that is given up while its node is silent rejects at once, and is given back by its id; the next waits for nothing', async () => {
  const one = lab([found('pi', 'fit')])
  const answer = await givenUp(one)
  const again = one.client.lock(['fit'])
  await untilAsked(one.asked, 'node/contract.get')
  answer()
  const lock = await again
  await someTurns()
  assert.equal(one.asked.splice(0).sort(), [
    'asked node/contract.get',
    'node/lock fit',
    'node/lock fit',
    'node/unlock fit',
  ])
  const ids = one.takings.map((taking) => taking.split(' '))
  const ended = ids.find(([method]) => method === 'node/unlock')?.[1]
  assert.is(ended, ids.find(([method]) => method === 'node/lock')?.[1], 'the first that was asked for')
  await lock.release()
  assert.is.not(one.takings.at(-1), `node/unlock ${ended}`)
  await one.client.close()
})

test('at a node that knows no ids what was given up is given back first, and tried once: more would end what came after', async () => {
  const one = lab([found('pi', 'fit')])
  one.forgetIds()
  const answer = await givenUp(one)
  const again = one.client.lock(['fit'])
  await someTurns()
  assert.not(one.asked.includes('asked node/lock'))
  answer()
  await (await again).release()
  const done = () => one.asked.splice(0).filter((what) => !what.startsWith('asked'))
  assert.equal(done(), ['node/lock fit', 'node/unlock fit', 'node/lock fit', 'node/unlock fit'])

  one.takings.length = 0
  const silent = await givenUp(one)
  await secondsPass(one.clock, 70)
  one.asked.length = 0
  silent()
  await secondsPass(one.clock, 5)
  assert.not(one.asked.includes('asked node/unlock'))
  await one.client.close()
})

test('what its node has ended by itself keeps the others of a lock from no giving back', async () => {
  const one = lab(['fit', 'log', 'scan'].map((name) => found('pi', name)))
  const lock = await one.client.lock(['fit', 'log', 'scan'])
  one.asked.length = 0
  one.goneAtNode.set('log', 'not-locked')
  await lock.release()
  const all = ['node/unlock fit,log,scan', 'node/unlock fit', 'node/unlock log', 'node/unlock scan']
  assert.equal(one.asked.splice(0), all)

  const again = await one.client.lock(['fit', 'log', 'scan'])
  one.asked.length = 0
  one.goneAtNode.set('log', 'service-unknown')
  assert.is(await codeOf(again.release()), 'service-unknown')
  assert.equal(one.asked, all)
  await one.client.close()
})

test('a lock that can not be had whole rejects at once when it is given up while the rest is given back', async () => {
  const one = lab([found('pi', 'fit'), found('zero', 'log')])
  const stop = new AbortController()
  one.refuse.add('log')
  const locking = codeOf(one.client.lock(['fit', 'log'], { signal: stop.signal }))
  const answer = held(one.answerUnlockAfter)
  while (!one.asked.includes('asked node/unlock')) await new Promise((resolve) => setImmediate(resolve))
  stop.abort(refusal('call-cancelled'))
  assert.is(await locking, 'service-locked')
  assert.not(one.asked.includes('node/unlock fit'))
  answer()
  await one.client.close()
  assert.ok(one.asked.includes('node/unlock fit'))
})

test('what was given up is given back when its node is there again, where no answer came', async () => {
  const one = lab([found('pi', 'fit')])
  const answer = await givenUp(one)
  // Longer than calls wait for their answers, so that giving back is tried anew.
  await secondsPass(one.clock, 70)
  answer()
  await secondsPass(one.clock, 3)
  assert.is(one.asked.at(-1), 'node/unlock fit')
  await one.client.close()
})

test('a client is closed within two seconds beside a node that is silent about a lock that was given up', async () => {
  const one = lab([found('pi', 'fit')])
  const answer = await givenUp(one)
  const closed = one.client.close()
  await someTurns()
  await one.clock.advance(2000)
  await closed
  answer()
})

test('a lock of which a part is lost while the rest is asked for is not had', async () => {
  const services = ['a.supply', 'b.supply'].map((name) => found('pi', name, supply, `pi.${name[0]}`))
  const { client, asked, ended, clock, grantAfter } = lab(services)
  const grantFirst = held(grantAfter)
  const locking = codeOf(client.lock(['a.supply', 'b.supply']))
  await asking(asked)
  const grant = held(grantAfter)
  grantFirst()
  while (!asked.includes('take pi.b')) await new Promise((resolve) => setImmediate(resolve))
  ended.add('lease of pi.a')
  await clock.advance(60_000)
  await someTurns()
  grant()
  assert.is(await locking, 'lease-ended')
  assert.equal(asked, ['take pi.a', 'take pi.b', 'renew pi.a', 'release pi.b'])
  await client.close()
})

test('a bench that is lost while a node is asked to lock the rest is not had, and neither is the rest', async () => {
  const parts = ['a.supply', 'a.meter'].map((name) => found('pi', name, supply, 'pi.a'))
  const { client, asked, ended, answerAfter } = lab([...parts, found('pi', 'fit')])
  const answer = held(answerAfter)
  const locking = codeOf(client.lock(['a.supply', 'fit']))
  await untilAsked(asked, 'node/contract.get')
  ended.add('lease of pi.a')
  // Whatever else of the bench is used hears of it.
  await client.service('a.meter')
  answerAfter(undefined)
  answer()
  assert.is(await locking, 'lease-ended')
  assert.is(asked.at(-1), 'node/unlock fit')
  await client.close()
})

test('a bench that is being given back is taken again only once it is', async () => {
  const { client, asked, busy, releaseAfter } = lab(
    ['a.supply', 'b.supply'].map((name) => found('pi', name, supply, `pi.${name[0]}`)),
  )
  busy.add('pi.b')
  const release = held(releaseAfter)
  const stop = new AbortController()
  const locking = codeOf(client.lock(['a.supply', 'b.supply'], { signal: stop.signal }))
  while (!asked.includes('release pi.a')) await new Promise((resolve) => setImmediate(resolve))
  stop.abort(refusal('call-cancelled'))
  assert.is(await locking, 'bench-busy')
  asked.length = 0
  const again = client.lock(['a.supply'])
  await someTurns()
  assert.equal(asked, [])
  release()
  await (await again).release()
  assert.equal(asked, ['take pi.a', 'release pi.a'])
  await client.close()
})

test('a lock that is given up between two tries is asked for no more by it, and given back when its hub is there', async () => {
  const { client, asked, clock, grantAfter } = lab([found('pi', 'a.supply', supply, 'pi.a')])
  const silence = Promise.reject(
    new LabError({ code: 'hub-unreachable', kind: 'link', retry: 'later', message: 'away' }),
  )
  silence.catch(() => {}) // heard by whoever asks
  grantAfter(silence)
  const stop = new AbortController()
  const locking = client.lock(['a.supply'], { signal: stop.signal })
  await clock.advance(0)
  await someTurns()
  assert.equal(asked, ['take pi.a', 'take pi.a'])
  stop.abort(refusal('call-cancelled'))
  assert.is(await codeOf(locking), 'call-cancelled')
  grantAfter(Promise.resolve())
  await clock.advance(2000)
  await someTurns()
  assert.is(asked.at(-1), 'release pi.a')
  await (await client.lock(['a.supply'])).release()
  await client.close()
})

test('a hold that the person had before the taking outlives a taking that fails or is given up, and ends when it is released', async () => {
  const services = ['a.supply', 'b.supply'].map((name) => found('pi', name, supply, `pi.${name[0]}`))
  const { client, asked, busy, had, grantAfter } = lab(services)
  had.add('pi.a')
  busy.add('pi.b')
  assert.is(await codeOf(client.lock(['a.supply', 'b.supply'])), 'bench-busy')
  assert.equal(asked.splice(0), ['take pi.a', 'take pi.b'])

  const grant = held(grantAfter)
  const stop = new AbortController()
  const locking = client.lock(['a.supply'], { signal: stop.signal })
  await asking(asked)
  stop.abort(refusal('call-cancelled'))
  assert.is(await codeOf(locking), 'call-cancelled')
  grant()
  await someTurns()
  assert.equal(asked.splice(0), ['take pi.a'])

  await (await client.lock(['a.supply'])).release()
  assert.equal(asked, ['take pi.a', 'release pi.a'])
  await client.close()
})

test('a service that has left does not keep its neighbours from their node', async () => {
  const { client, services, tokens } = lab([found('pi', 'fit'), found('pi', 'old'), found('pi', 'new')])
  const fit = await client.service('fit')
  await client.service('old')
  await fit.beep?.({ times: 1 })
  services.splice(1, 1)
  await (await client.service('new')).beep?.({ times: 1 })
  assert.equal(tokens, ['pi fit old -', 'pi fit new -'])
  assert.is(await fit.beep?.({ times: 2 }), 2)
  await client.close()
})

test('an address of another site is refused by its site, also where the hub knows no such node', async () => {
  const asked: string[] = []
  const fetch = async (url: string) => {
    asked.push(url.replace('https://lab.example.org/api/v1', ''))
    const isSite = url.endsWith('/site')
    const problem = { type: 'x', title: 'x', status: 404, code: 'service-unknown', detail: 'there is no such service' }
    const answer = isSite ? { site: 'berlin', title: 'Lab' } : problem
    return { ok: isSite, status: isSite ? 200 : 404, text: async () => JSON.stringify(answer) }
  }
  const directory = hubDirectory(new Hub({ url: 'https://lab.example.org', fetch }))
  const refused = (name: string) =>
    directory.get(name).then(
      () => assert.unreachable('it was found') as never,
      (error: LabError) => error,
    )
  const foreign = await refused('fernlab://paris/pi/scope')
  assert.is(foreign.code, 'site-foreign')
  assert.match(
    foreign.message,
    /paris\/pi\/scope is of another site than berlin, .*lab\.example\.org: ask the hub of its/,
  )
  assert.is((await refused('fernlab://berlin/pi/scope')).code, 'service-unknown')
  assert.is((await refused('pi/scope')).code, 'service-unknown')
  assert.is(asked.filter((path) => path === '/site').length, 1)
})

test('what opens a node lasts as long from now as the hub says, whatever the time of day is here', async () => {
  const given = {
    token: 'a token',
    expiresAt: '2001-01-01T00:00:00Z',
    lastsMs: 1_800_000,
    node: 'pi',
    addresses: ['ws://pi:8090/rpc'],
    rights: ['read'],
  }
  const fetch = async () => ({ ok: true, status: 201, text: async () => JSON.stringify(given) })
  const directory = hubDirectory(new Hub({ url: 'https://lab.example.org', fetch }))
  const { token, lastsMs } = await directory.access('pi', ['fit'], undefined)
  assert.equal([token, lastsMs], ['a token', 1_800_000])
})

test.run()

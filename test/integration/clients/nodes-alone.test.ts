/** A lab of two nodes without a hub: tokens that they sign themselves, their directory, and locks at them. */
import { rmSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { nodeCommand } from '@fernlab/edge/node-command'
import { connect } from '@fernlab/shared/clients/typescript/node'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { commandLine } from '../../support/command-line.ts'
import { nodeFileAlone, startTestNode, type TestNode } from '../../support/edge/node.ts'
import { SITE } from '../../support/edge/scripted-hub.ts'
import { ended, onMachine, overNetwork } from '../../support/edge/service-clients.ts'
import { suite } from '../../support/suite.ts'
import { until } from '../hub/hub-with-node.ts'

const test = suite('a lab without a hub', { timeoutMs: 60_000, hookTimeoutMs: 120_000 })
const nodes: TestNode[] = []
let folder: string
const tokens: string[] = []

const startNode = async (name: string, benches: number, tag: string) => {
  const file = nodeFileAlone(benches)
  const instruments = Object.fromEntries(
    Object.entries(file.instruments).map(([key, one]) => [key, { ...one, tags: [tag, 'bench'] }]),
  )
  const object = { ...file, node: name, instruments, services: { listen: { host: '127.0.0.1', port: 0 } } }
  const dataFolder = join(folder, name, 'nodes', name)
  const node = await startTestNode(undefined, { config: { object }, dataFolder })
  nodes.push(node)
}
const addressOf = (i: number) => nodes[i]?.edge.services.addresses[0] ?? ''
const socketOf = (i: number) => join(nodes[i]?.dataFolder ?? '', 'services.sock')
const both = () => connect({ nodes: tokens.map((token, i) => ({ address: addressOf(i), token })) })
const failure = (promise: Promise<unknown>): Promise<LabError> =>
  promise.then(
    () => assert.unreachable('it was done') as never,
    (error: LabError) => error,
  )
const cli = async (...args: string[]) => await commandLine(args, { env: { HOME: folder } })

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fernlab-no-hub-'))
  await startNode('north', 2, 'supply')
  await startNode('south', 1, 'oven')
  for (const [i, name] of ['north', 'south'].entries()) {
    await using owner = connect({ node: socketOf(i) })
    await until(
      async () => (await owner.directory.find()).every(({ state }) => state === 'up'),
      'the benches are free',
      60_000,
    )
    // Typed on the node's machine, by the command line that a node alone has.
    const out: string[] = []
    const err: string[] = []
    await nodeCommand({
      args: ['node', 'token', 'ada'],
      env: { FERNLAB_DATA: dirname(dirname(nodes[i]?.dataFolder ?? '')) },
      columns: undefined,
      out: (line) => void out.push(line),
      err: (line) => void err.push(line),
    })
    tokens.push(out.join(''))
    assert.match(err.join('\n'), `For ada at ${SITE}/${name}: *, to read, use, lock, until `)
    assert.match(err.join('\n'), `connect({ node: '${addressOf(i)}', token })`)
  }
})
test.after(async () => {
  for (const node of nodes) await node.close()
  rmSync(folder, { recursive: true })
})

test('the directory has the services of all nodes in the shape of a hub, and is searched alike', async () => {
  await using lab = both()
  const found = await lab.directory.find()
  assert.equal(
    found.map(({ id }) => id),
    ['north/bench-1.psu', 'north/bench-2.psu', 'south/bench-1.psu'],
  )
  const { lastSeen, ...first } = found[0] ?? { lastSeen: '' }
  assert.ok(!Number.isNaN(Date.parse(lastSeen)))
  assert.equal(first, {
    id: 'north/bench-1.psu',
    name: 'bench-1.psu',
    node: 'north',
    site: SITE,
    address: `fernlab://${SITE}/north/bench-1.psu`,
    bench: 'north.bench-1',
    state: 'up',
    addresses: [addressOf(0)],
    tags: ['supply', 'bench'],
    metadata: {},
    kind: 'memory',
    version: '1.0',
  })
  const ids = async (search: Parameters<typeof lab.directory.find>[0]) =>
    (await lab.directory.find(search)).map(({ id }) => id)
  assert.equal(await ids({ tag: 'oven' }), ['south/bench-1.psu'])
  assert.equal(await ids({ tag: ['bench', 'supply'], name: 'bench-2.psu' }), ['north/bench-2.psu'])
  assert.equal(await ids({ pattern: 'BENCH-?.psu', anyTag: ['oven', 'laser'] }), ['south/bench-1.psu'])
  assert.equal(await ids({ prefix: 'bench-2' }), ['north/bench-2.psu'])
  assert.equal(await ids({ state: 'gone' }), [])
  assert.is((await failure(lab.directory.find({ tag: '' }))).code, 'call-invalid')
})

test('a name that two nodes have is said with its node, or as an address; others alone', async () => {
  await using lab = both()
  const several = await failure(lab.service('bench-1.psu'))
  assert.is(several.code, 'service-ambiguous')
  const full = ['north', 'south'].map((node) => `fernlab://${SITE}/${node}/bench-1.psu`)
  assert.is(several.message, `several nodes have a service bench-1.psu: say which, ${full.join(' or ')}`)
  assert.equal(several.details, { services: full.join(' ') })
  assert.is((await failure(lab.service('bench-3.psu'))).code, 'service-unknown')
  const foreign = await failure(lab.service('fernlab://elsewhere/south/bench-1.psu'))
  assert.is(foreign.code, 'site-foreign')
  assert.match(foreign.message, `is of another site than ${SITE}: ask the hub of its site`)
  assert.is((await failure(lab.service(`fernlab://${SITE}/south/bench-9.psu`))).code, 'service-unknown')
  for (const name of ['south/bench-1.psu', `fernlab://${SITE}/south/bench-1.psu`])
    assert.is((await lab.service(name)).id, 'south/bench-1.psu')
  assert.is((await lab.service('bench-2.psu')).id, 'north/bench-2.psu')
})

test('a node that is named by two of its addresses is one', async () => {
  await using lab = connect({
    nodes: [{ address: addressOf(1), token: tokens[1] ?? '' }, { address: socketOf(1) }],
  })
  assert.equal(
    (await lab.directory.find()).map(({ id }) => id),
    ['south/bench-1.psu'],
  )
  assert.is((await lab.service('bench-1.psu')).id, 'south/bench-1.psu')
})

test('services of both nodes are locked together or not at all, and driven by whoever has them', async () => {
  await using ada = both()
  await using owner = connect({ node: socketOf(1) })
  const oven = await ada.service('south/bench-1.psu')
  const its = await owner.lock(['bench-1.psu'], { reason: 'a look' })
  assert.is((await failure(ada.lock(['north/bench-1.psu', 'south/bench-1.psu']))).code, 'service-locked')
  assert.equal(await ada.directory.find({ state: 'locked', tag: 'supply' }), [])
  const [seen] = await ada.directory.find({ tag: 'oven' })
  assert.equal([seen?.state, Object.keys(seen?.lockedBy ?? {})], ['locked', ['since']])
  await its.release()

  const lock = await ada.lock(['south/bench-1.psu', 'north/bench-1.psu', 'north/bench-2.psu'], { reason: 'all' })
  assert.equal(lock.services, ['north/bench-1.psu', 'north/bench-2.psu', 'south/bench-1.psu'])
  const [mine] = await ada.directory.find({ tag: 'oven' })
  assert.equal([mine?.lockedBy?.mine, mine?.lockedBy?.reason], [true, 'all'])
  await oven.set('voltage', 2)
  assert.is((await oven.read(['voltage'])).voltage?.value, 2)
  await lock.release()
  assert.is((await oven.read(['voltage'])).voltage?.value, 0)
  assert.is((await failure(oven.set('voltage', 1))).code, 'bench-not-held')
})

test('a token opens the node that signed it, and no other', async () => {
  await using wrong = connect({ node: addressOf(1), token: tokens[0] ?? '' })
  assert.match((await failure(wrong.directory.find())).code, /^token-(foreign|invalid)$/)
  await using none = connect({ node: addressOf(1) })
  assert.is((await failure(none.directory.find())).code, 'sign-in-required')
  assert.throws(() => connect({ node: 'http://bench-pi:8090' }), /no address of a node/)
})

test('from a terminal: the directory of a node, a call with a lock, and a lock', async () => {
  const file = join(folder, 'ada.token')
  await writeFile(file, `${tokens[0]}\n`, { mode: 0o600 })
  // As a person types it: without the path.
  const node = ['--node', addressOf(0).replace('/rpc', ''), '--token-file', file]
  const said = async (...args: string[]) => {
    const { code, out, err } = await cli(...args)
    assert.is(code, 0, err)
    return out
  }
  assert.match(await said('directory', ...node, '--tag', 'supply'), /^bench-1\.psu +north +up +memory/m)
  assert.match(await said('directory', 'bench-2.psu', ...node), `fernlab://${SITE}/north/bench-2.psu`)
  const set = ['--set', 'voltage=1.5', '--read', 'voltage']
  assert.match((await cli('call', 'bench-1.psu', ...node, ...set)).err, /With --lock/)
  assert.is(await said('call', 'bench-1.psu', ...node, '--lock', ...set), 'voltage: 1.5 V\n')
  assert.is(await said('call', 'bench-1.psu', '--node', socketOf(0), '--lock', ...set), 'voltage: 1.5 V\n')
  let seen: string | undefined
  await using lab = both()
  const { code, out } = await commandLine(['lock', 'bench-1.psu', ...node, '--reason', 'sweep'], {
    env: { HOME: folder },
    onInterrupt: (press) => {
      void lab.directory.find({ name: 'bench-1.psu', state: 'locked' }).then(([entry]) => {
        seen = entry?.lockedBy?.reason
        press()
      }, press)
    },
  })
  assert.equal([code, out, seen], [0, 'Locked: north/bench-1.psu\n', 'sweep'])
  const wrong = async (...args: string[]) => (await cli(...args)).err
  assert.match(await wrong('directory', '--node', addressOf(0)), /sign in first/)
  assert.match(await wrong('directory', '--node', 'bench-pi:8090'), /no address of a node/)
  assert.match(await wrong('directory', ...node, '--hub', 'http://127.0.0.1:1'), /one of --hub, --node and --network/)
  await writeFile(file, tokens.join('\n'))
  assert.match(await wrong('directory', ...node), /several tokens/)
  assert.match(await wrong('directory', '--node', addressOf(0), '--token-file', join(folder, 'no')), /can't be read/)
})

test('a token is made on the machine of its node, for what is asked and no longer than that', async () => {
  const data = dirname(dirname(nodes[0]?.dataFolder ?? ''))
  const make = async (...args: string[]) =>
    await commandLine(['node', 'token', 'bob', ...args], { env: { FERNLAB_DATA: data } })
  const limited = await make('--service', 'bench-2.*', '--right', 'read', '--hours', '0.5', '--json')
  assert.is(limited.code, 0, limited.err)
  const { token, until: end, ...made } = JSON.parse(limited.out)
  assert.equal(made, {
    node: `${SITE}/north`,
    person: 'bob',
    services: ['bench-2.*'],
    rights: ['read'],
    addresses: [addressOf(0)],
  })
  assert.ok(Date.parse(end) - Date.now() < 1_800_001)
  await using bob = connect({ node: addressOf(0), token })
  assert.equal(
    (await bob.directory.find()).map(({ name }) => name),
    ['bench-2.psu'],
  )
  assert.is((await failure(bob.lock(['bench-2.psu']))).code, 'right-missing')
  assert.match((await make('--hours', 'long')).err, /--hours/)
  assert.match((await make('--hours', '900')).err, /--hours is "900"; it must be .* 744 \(31 days\) at most/)
  assert.match((await make('--right', 'write')).err, /--right is "write"/)
  assert.match((await make('--node', 'west')).err, /no node west/)
  assert.match((await commandLine(['node', 'token', 'bob'], { env: { FERNLAB_DATA: folder } })).err, /no node runs/)
  assert.is(basename(nodes[0]?.dataFolder ?? ''), 'north')
})

/** What a lock by `fernlab lock` came to that nobody has interrupted; `end` ends it once it stands. */
async function lockUntilLost(node: readonly string[], end: () => Promise<unknown>) {
  let ending: Promise<unknown> = Promise.resolve()
  const isLocked = async () => {
    await using owner = connect({ node: socketOf(0) })
    return (await owner.directory.find({ name: 'bench-1.psu', state: 'locked' })).length === 1
  }
  const told = await commandLine(['lock', 'bench-1.psu', ...node], {
    env: { HOME: folder },
    onInterrupt: () => {
      ending = until(isLocked, 'it is locked', 10_000).then(end)
    },
  })
  await ending
  assert.is(told.out, 'Locked: north/bench-1.psu\n')
  assert.not(told.err.includes('Unlocked'), told.err)
  return told
}

test('a lock at a terminal that is lost says why, and is no success', async () => {
  const file = join(folder, 'lost.token')
  await writeFile(file, `${tokens[0]}\n`, { mode: 0o600 })
  const overNetwork = ['--node', addressOf(0), '--token-file', file]
  const byOwner = await lockUntilLost(overNetwork, async () => {
    await using owner = connect({ node: socketOf(0) })
    await owner.unlock(['bench-1.psu'], { reason: 'the fan is loud' })
  })
  assert.is(byOwner.code, 1)
  assert.match(byOwner.err, 'bench bench-1 was ended by somebody with the right to: the fan is loud')
  await using owner = connect({ node: socketOf(0) })
  assert.equal(await owner.directory.find({ state: 'locked' }), [])
})

test('tokens of a node are ended by person or all together, for good; the links that they opened are cut', async () => {
  const env = { FERNLAB_DATA: dirname(dirname(nodes[0]?.dataFolder ?? '')) }
  const type = async (...args: string[]) => {
    const { code, out, err } = await commandLine(['node', 'token', ...args], { env })
    assert.is(code, 0, err)
    return out
  }
  const opens = async (token: string) => {
    await using lab = connect({ node: addressOf(0), token })
    return await lab.directory.find().then(
      () => 'yes',
      ({ code }: LabError) => code,
    )
  }
  const [dan, dans, eve] = [await type('dan'), await type('dan'), await type('eve')].map((token) => token.trim())
  assert.ok(dan && dans && eve)
  const file = join(folder, 'dan.token')
  await writeFile(file, dan, { mode: 0o600 })
  const [links, eves] = [await Promise.all([dan, dans].map(toNorth)), await toNorth(eve)]
  const cut = links.map(ended)
  const lost = await lockUntilLost(['--node', addressOf(0), '--token-file', file], async () => {
    assert.match(
      await type('--revoke', 'dan'),
      /^The tokens of dan that the node has signed so far are ended; [34] open links were cut\.\n$/,
    )
  })
  assert.is(lost.code, 1)
  assert.match(lost.err, /this token was revoked|token of the owner of bench bench-1 has ended/)
  for (const why of await Promise.all(cut)) assert.match(why, /token-revoked/)
  await eves.call('rpc.ping')
  await eves.close()
  assert.equal([await opens(dan), await opens(dans), await opens(eve)], ['token-revoked', 'token-revoked', 'yes'])
  // One that is made at once is another.
  const anew = (await type('dan')).trim()
  // What is misspelt is done, and said.
  const odd = await commandLine(['node', 'token', 'dan', '--service', 'bench-1.pzu', '--service', 'bench-1.*'], { env })
  assert.is(odd.code, 0)
  assert.match(odd.err, /^This node has no service bench-1\.pzu now; did you mean "bench-1\.psu"\?: the token opens it/)
  const nobody = await commandLine(['node', 'token', '--revoke', 'dam', '--revoke', 'dan2'], { env })
  assert.equal([nobody.code, nobody.err.match(/knows of no token that it has signed for (dam|dan2):/g)?.length], [0, 2])
  assert.is(await opens(anew), 'yes')

  nodes[0] = (await nodes[0]?.restart()) as TestNode
  assert.equal([await opens(dan), await opens(eve), await opens(anew)], ['token-revoked', 'yes', 'yes'])

  const last = await Promise.all([eve, anew].map(toNorth))
  const over = last.map(ended)
  assert.equal(JSON.parse(await type('--revoke-all', '--json')), { revoked: 'all', links: 2 })
  for (const why of await Promise.all(over)) assert.match(why, /token-revoked/)
  nodes[0] = (await nodes[0]?.restart()) as TestNode
  assert.equal([await opens(dan), await opens(eve), await opens(anew)], Array(3).fill('token-revoked'))
  assert.is(await opens((await type('eve')).trim()), 'yes')
})
const toNorth = (token: string) => overNetwork(addressOf(0), token)

test('what ends tokens is for the owner of the machine, and refuses what can not be meant', async () => {
  const env = { FERNLAB_DATA: dirname(dirname(nodes[1]?.dataFolder ?? '')) }
  const wrong = async (...args: string[]) => {
    const { code, err } = await commandLine(['node', 'token', ...args], { env })
    assert.is(code, 2)
    return err
  }
  assert.match(await wrong(), /name one person; or --revoke PERSON, or --revoke-all/)
  assert.match(await wrong('ada', '--revoke', 'ada'), /are ended or one is made/)
  assert.match(await wrong('--revoke-all', '--hours', '1'), /are ended or one is made/)
  assert.match(await wrong('--revoke', 'ada', '--revoke-all'), /not both/)
  const ada = await overNetwork(addressOf(1), tokens[1])
  assert.is((await failure(ada.call('node/revoke', { all: true }))).code, 'right-missing')
  await ada.close()
  const owner = await onMachine(nodes[1]?.dataFolder ?? '')
  for (const args of [{}, { people: ['ada'], all: true }, { people: 'ada' }, { all: 1 }])
    assert.is((await failure(owner.call('node/revoke', args))).code, 'call-invalid')
  await owner.close()
  await using lab = both()
  assert.is((await lab.service('south/bench-1.psu')).id, 'south/bench-1.psu')
})

test('a lock at a terminal that a start of its node has ended says so', async () => {
  const lost = await lockUntilLost(['--node', socketOf(0)], async () => {
    nodes[0] = (await nodes[0]?.restart()) as TestNode
  })
  assert.is(lost.code, 1)
  assert.match(lost.err, /keeps no locks over a start/)
})

test.run()

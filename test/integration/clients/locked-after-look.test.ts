/** Whoever ends a lock that nobody had when they looked ends none that is taken meanwhile. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { listenUnixSocket } from '@fernlab/shared/links/unix-socket/unix-socket'
import { systemClock as clock } from '@fernlab/shared/primitives/clock'
import { daemonVerb } from '@fernlab/shared/programs/daemon-verbs'
import type { Link } from '@fernlab/shared/rpc/link'
import { createPeer, type Peer, SIGN_IN } from '@fernlab/shared/rpc/peer/peer'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { commandLine } from '../../support/command-line.ts'
import { nodeFileAlone, startTestNode, type TestNode } from '../../support/edge/node.ts'
import { onMachine } from '../../support/edge/service-clients.ts'
import { suite } from '../../support/suite.ts'
import { until } from '../hub/hub-with-node.ts'

const test = suite('a lock that is taken after the look', { timeoutMs: 30_000, hookTimeoutMs: 120_000 })
const psu = 'bench-1.psu'
const other = 'bench-2.psu'
/** What the holder does as an unlock comes. */
let meanwhile: () => Promise<unknown>
let node: TestNode
let dataFolder: string
let holder: Peer
let standIn: { readonly path: string; close(): Promise<void> }

test.before(async () => {
  node = await startTestNode(undefined, { config: { object: nodeFileAlone(2) } })
  holder = await onMachine(node.dataFolder)
  dataFolder = await mkdtemp(join(tmpdir(), 'fernlab-look-'))
  const folder = join(dataFolder, 'nodes', 'n')
  await mkdir(folder, { recursive: true })
  standIn = await beforeNode(join(folder, 'services.sock'))
  const areFree = async () =>
    ((await holder.call('node/services')) as { state: string }[]).every(({ state }) => state === 'up')
  await until(areFree, 'the bench being free', 20_000)
})
test.before.each(async () => {
  meanwhile = () => holder.call('node/lock', { services: [psu] })
  for (const { service } of await locks()) await holder.call('node/unlock', { services: [service] })
})
test.after(async () => {
  await standIn?.close()
  await holder?.close()
  await node?.remove()
  await rm(dataFolder, { recursive: true, force: true })
})

const locks = async () => (await holder.call('node/locks')) as { service: string }[]

/** Between whoever comes and the node: as an unlock comes, the holder does something. */
async function beforeNode(path: string) {
  const within: Peer[] = []
  const onLink = async (link: Link) => {
    const peer = await onMachine(node.dataFolder)
    within.push(peer)
    const outer = createPeer({
      link,
      clock,
      signIn: (params) => peer.call(SIGN_IN, params),
      serve: async (method, params, { signal }) => {
        if (method === 'node/unlock') await meanwhile()
        return await peer.call(method, params, { signal })
      },
    })
    outer.onEnd(() => void peer.close())
  }
  const listening = await listenUnixSocket({ path, clock, onLink: (link) => void onLink(link) })
  return {
    path,
    close: async () => {
      await listening.close()
      await Promise.all(within.map((peer) => peer.close()))
    },
  }
}

const typed = async (...services: string[]) => {
  const lines: string[] = []
  const options = { node: undefined, json: false, lines: 1, follow: false, exportTo: undefined, nodeFile: '' }
  const { signal } = new AbortController()
  const out = (line: string) => void lines.push(line)
  await daemonVerb('unlock', { ...options, daemons: services, dataFolder, reason: '', clock, out, signal })
  return lines.join('\n')
}

test('on the machine of the node', async () => {
  const refused = await rejection(typed(psu))
  assert.equal([refused.code, refused.message], ['not-locked', 'bench bench-1 is not locked: nothing was ended'])
  await holder.call('node/lock', { services: [psu] })
  assert.is(await typed(psu), `${psu}: unlocked`)
  assert.is((await rejection(typed('nobody'))).code, 'service-unknown')
})

test('from elsewhere', async () => {
  const unlock = () => commandLine(['unlock', psu, '--node', standIn.path], { env: {} })
  const refused = await unlock()
  assert.equal([refused.code, refused.out], [1, ''])
  assert.match(refused.err, /service bench-1\.psu is not locked: nothing was ended/)
  await holder.call('node/lock', { services: [psu] })
  assert.equal(await unlock(), { code: 0, out: `Unlocked: ${psu}\n`, err: '' })
})

test('one of several that its program gave back meanwhile is no failure, and what was ended is said', async () => {
  const once = (services: string[]) => async () => {
    meanwhile = async () => {}
    await holder.call('node/unlock', { services })
  }
  const unlock = () => commandLine(['unlock', psu, other, '--node', standIn.path], { env: {} })
  await holder.call('node/lock', { services: [psu, other] })
  meanwhile = once([other])
  assert.equal(await unlock(), { code: 0, out: `Unlocked: ${psu}\n`, err: `${other} was given back meanwhile.\n` })
  assert.equal(await locks(), [])
  await holder.call('node/lock', { services: [psu, other] })
  meanwhile = once([psu, other])
  const none = await unlock()
  assert.equal([none.code, none.out], [0, ''])
  assert.is(none.err, `${psu} was given back meanwhile.\n${other} was given back meanwhile.\n`)
})

test.run()

/** What `fernlab daemon` leaves when a node does not answer, or when it is itself killed half way. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { getPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { LOCAL } from '@fernlab/edge/services/service-source'
import { listenUnixSocket } from '@fernlab/shared/links/unix-socket/unix-socket'
import { ManualClock, systemClock } from '@fernlab/shared/primitives/clock'
import { nextTurn } from '@fernlab/shared/primitives/next-turn'
import { daemonVerb } from '@fernlab/shared/programs/daemon-verbs'
import { matchesPattern } from '@fernlab/shared/protocol/patterns'
import { serveServices } from '@fernlab/shared/rpc/contract/serve-service'
import { createPeer } from '@fernlab/shared/rpc/peer/peer'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { root } from '../../support/source-files.ts'
import { suite } from '../../support/suite.ts'
import { configOf, daemonOf, isUp, labWithDaemons } from './lab-with-daemons.ts'

const test = suite('fernlab daemon', { timeoutMs: 60_000 })

test('ends with a clear error when the node does not answer', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fernlab-hung-'))
  const socket = join(folder, 'nodes/pi/services.sock')
  await mkdir(join(folder, 'nodes/pi'), { recursive: true })
  const hung = createServer(() => {})
  hung.listen(socket)
  await once(hung, 'listening')
  const clock = new ManualClock()
  const connected = once(hung, 'connection')
  const options = {
    daemons: [],
    dataFolder: folder,
    node: undefined,
    json: false,
    lines: 1,
    follow: false,
    out: () => {},
  }
  const more = { exportTo: undefined, reason: '', nodeFile: '', clock, signal: new AbortController().signal }
  const verb = rejection(daemonVerb('down', { ...options, ...more }))
  await connected
  let isOver = false
  void verb.then(() => (isOver = true))
  await connected
  while (!isOver) {
    await clock.advance(1000)
    await nextTurn()
  }
  const { code, message } = await verb
  assert.is(code, 'node-silent')
  assert.match(message, /the node at .*services\.sock does not answer/)
  hung.close()
  await rm(folder, { recursive: true })
})

/** Takes a moment to close, and to be made. */
const SLOW = `
import { defineService } from '@fernlab/service'
export const contract = defineService({ kind: 'slow', version: '1.0', actions: {}, signals: {}, events: {} })
export default async (context) => {
  context.onClose(() => new Promise((resolve) => setTimeout(resolve, 400)))
  return {}
}
`

test('killed in the middle, it leaves a daemon that is stopped, or up with what is new', async () => {
  const one = (env: object) =>
    configOf({ slow: { env, openFiles: 200, nice: 7 } }, { slow: { file: './slow.ts', daemon: 'slow' } })
  const lab = await labWithDaemons({ 'slow.ts': SLOW }, one({}))
  const path = join(lab.folder, 'data/nodes/pi/services.sock')
  await mkdir(join(lab.folder, 'data/nodes/pi'), { recursive: true })
  const server = await listenUnixSocket({
    path,
    clock: systemClock,
    onLink: (link) => {
      const owner = { person: LOCAL, onEnd: (listener: () => void) => node.onEnd(listener) }
      const serve = serveServices((name) => lab.daemons.find(name, owner), matchesPattern)
      const node = createPeer({ link, clock: systemClock, serve })
    },
  })
  const killedIn = async (verb: string, state: string) => {
    const command = join(root, 'edge/dist/bundle/node-command.js')
    const env = { ...process.env, FERNLAB_DATA: join(lab.folder, 'data') }
    const child = spawn(process.execPath, [command, 'daemon', verb], { env, stdio: ['ignore', 'ignore', 'inherit'] })
    const ended = once(child, 'exit')
    await lab.until(() => daemonOf(lab, 'slow')?.state === state)
    child.kill('SIGKILL')
    assert.equal(await ended, [null, 'SIGKILL'])
  }
  await lab.until(() => isUp(lab, 'slow'))
  await killedIn('down', 'stopping')
  await lab.until(() => daemonOf(lab, 'slow')?.state === 'stopped')
  await killedIn('up', 'starting')
  await lab.until(() => isUp(lab, 'slow'))
  const before = daemonOf(lab, 'slow')?.pid
  assert.match(readFileSync(`/proc/${before}/limits`, 'utf8'), /^Max open files +200 +200 /m)
  assert.is(getPriority(before), getPriority() + 7)
  lab.write(one({ NEW: 'yes' }))
  await killedIn('reload', 'stopping')
  await lab.until(() => isUp(lab, 'slow'))
  assert.is.not(daemonOf(lab, 'slow')?.pid, before)
  assert.equal(await lab.reload(one({ NEW: 'yes' })), [{ daemon: 'slow', change: 'unchanged' }])
  await server.close()
  await lab.close()
})

test.run()

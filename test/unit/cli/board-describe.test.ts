/** `fernlab board describe`: what a board says of itself, as the file that node.yaml names. */
import { readFile } from 'node:fs/promises'
import { createWorlds } from '@fernlab/firmware-bridge/emulated/worlds'
import { forwardPort } from '@fernlab/firmware-bridge/forwarding/forward-port'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { hello } from '../../support/boards/hello.ts'
import { thermalControl } from '../../support/boards/thermal-control.ts'
import { commandLine } from '../../support/command-line.ts'
import { suite } from '../../support/suite.ts'

const test = suite('fernlab board describe', { timeoutMs: 60_000 })
const TRANSPORT = { kind: 'emulated', world: 'uno', device: 'board' } as const

async function describe(firmware: typeof hello) {
  const worlds = createWorlds({ clock: systemClock, uno: { firmware } })
  const openTransport = createOpenTransport({ worlds, clock: systemClock, log: silentLog })
  const open = (within: AbortSignal) => openTransport(TRANSPORT, within)
  const forwarded = await forwardPort({ open, port: 0, clock: systemClock, log: silentLog })
  const port = `net:${forwarded.host}:${forwarded.port}`
  const ended = await commandLine(['board', 'describe', '--port', port], { env: {} })
  await forwarded.close()
  // Its port is free again.
  const transport = await openTransport(TRANSPORT, new AbortController().signal)
  await transport.close()
  return { ...ended, port }
}

test('the demo’s board says what the file beside the demo’s node.yaml has', async () => {
  const { code, out } = await describe(thermalControl)
  assert.is(code, 0)
  const file = new URL('../../../shared/labs/demo-node/thermal-control.json', import.meta.url)
  assert.equal(JSON.parse(out), JSON.parse(await readFile(file, 'utf8')))
})

test('a board without the library is told as silent, with what to look at', async () => {
  const { code, out, err, port } = await describe(hello)
  assert.is.not(code, 0)
  assert.is(out, '')
  assert.match(err, new RegExp(`nothing at ${port} greeted within 6 s; check .*fernlab-link, and --baud`))
})

test.run()

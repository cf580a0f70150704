import { writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { type Program, startProgram } from '../../support/programs.ts'

/** A node of its own process with one bench, and the network that a check of the bench must reach. */
export interface DeskNode {
  /** Takes the network away, or gives it back. */
  unplug(): Promise<void>
  plugIn(): Promise<void>
  close(): Promise<void>
}

/** Starts it with what the page of nodes says to type there. */
export async function startDeskNode(options: {
  readonly folder: string
  readonly mqtt: string
  readonly command: string
}): Promise<DeskNode> {
  const { folder, mqtt, command } = options
  let network: Server
  let port = 0
  const plugIn = () =>
    new Promise<void>((resolve) => {
      network = createServer((socket) => socket.destroy())
      network.listen(port, '127.0.0.1', () => {
        port = (network.address() as { port: number }).port
        resolve()
      })
    })
  const unplug = () => new Promise<void>((resolve) => network.close(() => resolve()))
  await plugIn()
  const config = join(folder, 'node.yaml')
  await writeFile(config, nodeFile(mqtt, port))
  const typed = command.split(' ')
  const node: Program = startProgram(
    process.execPath,
    ['scripts/start/part.mjs', 'edge', '--config', config, ...typed.slice(typed.indexOf('--hub'))],
    { FERNLAB_DATA: join(folder, 'node') },
  )
  return {
    unplug,
    plugIn,
    close: async () => {
      process.kill(node.pid, 'SIGKILL')
      await node.ended
      if (network.listening) await unplug()
    },
  }
}

const nodeFile = (mqtt: string, port: number) => `
node: desk
hub: { url: ${mqtt} }
instruments:
  psu: { driver: scpi, config: { model: fern-psu, transport: { kind: emulated, world: rc, device: psu } } }
  dmm: { driver: scpi, config: { model: fern-dmm, transport: { kind: emulated, world: rc, device: dmm } } }
benches:
  shelf:
    title: The shelf by the window
    labs: [divider]
    parts: { supply: psu, meter: dmm }
    safeState: { supply.output: false, supply.voltage: 0 }
    checks:
      network:
        kind: reachable
        title: Lab network
        config: { host: 127.0.0.1, port: ${port} }
        everyS: 86400
        retries: 0
        failuresBeforeOut: 1
        passesBeforeBack: 1
`

/** A bench's instruments, served over TCP from the test's process: their state outlives every kill of hub and node. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { WireDevice } from '@fernlab/firmware-bridge/emulated/wire-device'
import { createWorlds, type World } from '@fernlab/firmware-bridge/emulated/worlds'
import { systemClock } from '@fernlab/shared/primitives/clock'

export interface ServedInstrument {
  readonly port: number
  readonly device: WireDevice
  /** Messages that came in, with `performance.now()` of their arrival. */
  readonly received: { readonly atMs: number; readonly line: string }[]
  /** Asks the instrument itself, past the node. */
  ask(message: string): Promise<string>
  /** Pulls its cable; while it is pulled, nobody gets a connection. */
  unplug(): void
  plugIn(): void
  close(): Promise<void>
}

/** An emulated RC bench: supply and meter on ports of their own. */
export interface BenchInstruments {
  readonly psu: ServedInstrument
  readonly dmm: ServedInstrument
  /** What the supply's own front panel shows. */
  supply(): Promise<{ on: boolean; volts: number }>
  close(): Promise<void>
}

/** Serves `rc-<name>`. */
export async function serveBench(name: string): Promise<BenchInstruments> {
  const world: World = createWorlds({ clock: systemClock, latencyMs: 0, instant: true }).world(`rc-${name}`)
  const psu = await serveDevice(world.device('psu'))
  const dmm = await serveDevice(world.device('dmm'))
  return {
    psu,
    dmm,
    supply: async () => ({ on: (await psu.ask('OUTP?')) === '1', volts: Number(await psu.ask('VOLT?')) }),
    close: async () => {
      await psu.close()
      await dmm.close()
    },
  }
}

async function serveDevice(device: WireDevice): Promise<ServedInstrument> {
  const sockets = new Set<Socket>()
  const received: { atMs: number; line: string }[] = []
  let unplugged = false
  const server: Server = createServer({ noDelay: true }, (socket) => {
    if (unplugged) {
      socket.destroy()
      return
    }
    const wire = device.connect({ data: (bytes) => socket.write(bytes), hangUp: () => socket.destroy() })
    sockets.add(socket)
    socket.on('data', (bytes) => {
      for (const line of bytes.toString('latin1').split('\n'))
        if (line !== '') received.push({ atMs: performance.now(), line })
      wire.receive(bytes)
    })
    socket.on('error', () => socket.destroy()) // the node's end was killed
    socket.on('close', () => {
      wire.close()
      sockets.delete(socket)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    device,
    received,
    ask: (message) =>
      new Promise((resolve) => {
        const wire = device.connect({
          data: (bytes) => {
            wire.close()
            resolve(new TextDecoder().decode(bytes).trim())
          },
          hangUp: () => {},
        })
        wire.receive(new TextEncoder().encode(`${message}\n`))
      }),
    unplug: () => {
      unplugged = true
      for (const socket of sockets) socket.destroy()
    },
    plugIn: () => {
      unplugged = false
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

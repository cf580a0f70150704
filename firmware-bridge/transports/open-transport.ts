import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Log } from '@fernlab/shared/primitives/log'
import { createWorlds, type Worlds } from '../emulated/worlds.ts'
import { openEmulated } from './emulated.ts'
import { openSerial } from './serial.ts'
import { stableNameOf } from './serial-ports.ts'
import { openTcp } from './tcp.ts'
import type { OpenTransport } from './transport.ts'
import { openUsbtmc } from './usbtmc/usbtmc.ts'

export interface OpenTransportOptions {
  /** The emulated benches of this process; made when not given. */
  readonly worlds?: Worlds
  readonly clock: Clock
  readonly log: Log
}

/** Opens every kind of connection that node.yaml may name. */
export function createOpenTransport({
  clock,
  log,
  worlds = createWorlds({ clock }),
}: OpenTransportOptions): OpenTransport {
  const hinted = new Set<string>()
  /** Once for each port: its number may be another's after the next start. */
  const hint = async (path: string) => {
    if (hinted.has(path)) return
    hinted.add(path)
    const stable = await stableNameOf(path)
    if (stable === undefined) return
    log.warn({ path, stable }, `${path} may be another port after the next start: node.yaml should say ${stable}`)
  }
  return async (config, signal) => {
    log.debug({ transport: config }, 'opening a connection')
    switch (config.kind) {
      case 'serial': {
        const port = await openSerial(config, signal)
        void hint(config.path)
        return port
      }
      case 'tcp':
        return await openTcp(config, signal)
      case 'usbtmc':
        return await openUsbtmc(config, signal, { clock, log })
      case 'emulated':
        return openEmulated(worlds.world(config.world).device(config.device), clock)
    }
  }
}

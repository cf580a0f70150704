import { readFile } from 'node:fs/promises'
import { loadavg } from 'node:os'
import type { NodeHealth } from '@fernlab/shared/contracts/node-status'
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Bench } from '../benches/bench.ts'
import { isTripped, trippedError } from '../benches/present-state.ts'
import type { InstrumentHandle } from '../instruments/instrument-handle.ts'

export interface StartHealthOptions {
  readonly version: string
  readonly clock: Clock
  readonly everyMs: number
  readonly benches: ReadonlyMap<string, Bench>
  readonly instruments: ReadonlyMap<string, InstrumentHandle>
  /** Of the instruments, those that could not be made, with the reason. */
  readonly outOfUse: ReadonlyMap<string, string>
  readonly queueDepth: () => number
  readonly outboxDepth: () => number
  readonly clockOffsetMs: () => number | undefined
  readonly diskFreeBytes: () => number
  /** Calibrations that are over. */
  readonly expired: () => readonly string[]
  readonly troubles: () => readonly (LabError | undefined)[]
  readonly publish: (health: NodeHealth) => void
}

export interface Health {
  /** Publishes at once. */
  publish(): Promise<void>
  close(): void
}

/** A clock that is further from the hub's than this is a problem worth showing. */
const CLOCK_OFFSET_MS = 2000

/** Publishes the node's health every so often. */
export function startHealth(options: StartHealthOptions): Health {
  const { clock, everyMs } = options
  const startedAt = clock.monotonic()
  let cancel: (() => void) | undefined
  let closed = false

  const problems = (): NodeHealth['problems'] => {
    const found: NodeHealth['problems'] = []
    for (const trouble of options.troubles()) {
      if (trouble !== undefined && !found.some(({ code }) => code === trouble.code))
        found.push({ code: trouble.code, message: trouble.message })
    }
    for (const bench of options.benches.values()) {
      for (const tripped of bench.status.interlocks?.filter(isTripped) ?? []) {
        const todo = tripped.latched ? '; look at the bench, then reset the interlock' : ''
        found.push({ code: 'interlock-tripped', message: `${trippedError(bench.name, tripped).message}${todo}` })
      }
      if (bench.unsafe === undefined) continue
      found.push({
        code: 'safe-state-not-reached',
        message: `${bench.unsafe.message}; make the bench safe by hand and look at its instruments`,
      })
    }
    for (const handle of options.instruments.values()) {
      const { complaint } = handle
      if (complaint !== undefined) found.push({ code: 'instrument-odd', message: `${handle.name} ${complaint}` })
      if (handle.connection.online) continue
      const unmade = options.outOfUse.get(handle.name)
      if (unmade !== undefined) {
        found.push({ code: 'instrument-out-of-use', message: `${handle.name} is ${unmade}` })
        continue
      }
      found.push({ code: 'instrument-offline', message: `${handle.name}: ${handle.connection.reason}` })
    }
    for (const message of options.expired()) found.push({ code: 'calibration-expired', message })
    const offset = options.clockOffsetMs()
    if (offset !== undefined && Math.abs(offset) > CLOCK_OFFSET_MS) {
      found.push({
        code: 'clock-off',
        message: `the node's clock is ${(offset / 1000).toFixed(1)} s off the hub's; set up time synchronisation`,
      })
    }
    return found.slice(0, 50)
  }

  const publish = async () => {
    options.publish({
      version: options.version,
      time: new Date(clock.now()).toISOString(),
      uptime_s: Math.round((clock.monotonic() - startedAt) / 1000),
      cpu_temp_Cel: await cpuTemperature(),
      load: loadavg()[0] ?? 0,
      memory_bytes: process.memoryUsage.rss(),
      disk_free_bytes: options.diskFreeBytes(),
      queue_depth: options.queueDepth(),
      outbox_depth: options.outboxDepth(),
      clock_offset_ms: options.clockOffsetMs() ?? null,
      problems: problems(),
      ...reached(options.instruments.values()),
    })
  }

  const loop = () => {
    if (closed) return
    cancel = clock.after(everyMs, () => {
      void publish()
      loop()
    })
  }
  loop()
  return {
    publish,
    close: () => {
      closed = true
      cancel?.()
    },
  }
}

function reached(instruments: Iterable<InstrumentHandle>): Pick<NodeHealth, 'reached'> {
  const found = [...instruments].flatMap(({ name, about }) =>
    about === undefined ? [] : [{ instrument: name, by: about }],
  )
  return found.length === 0 ? {} : { reached: found }
}

/** The processor's temperature where Linux tells it (sysfs thermal, millidegrees); else null. */
async function cpuTemperature(): Promise<number | null> {
  try {
    const text = await readFile('/sys/class/thermal/thermal_zone0/temp', 'utf8')
    const milli = Number.parseInt(text, 10)
    return Number.isFinite(milli) ? milli / 1000 : null
  } catch {
    return null // no sensor on this machine
  }
}

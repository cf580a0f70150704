/**
 * Pins through the kernel's sysfs interface, by onoff, which numbers lines as sysfs does: base of the chip + line.
 *
 * INVARIANTS: a line is exported here before onoff has it, so that what is refused is refused by name, and nothing waits in
 * the event loop for udev; what onoff has set up is read back. A line that was exported already is taken over: a node that
 * was killed leaves its own. Outputs stay exported when the node lets go of them, for some kernels make an input of a line
 * that nobody has, and it would leave its safe level.
 */
import { closeSync, constants } from 'node:fs'
import { access, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Gpio } from 'onoff'
import { gpioError, lineHeld, lineMissing, notPermitted, systemCode } from '../gpio-errors.ts'
import type { Backend, Chip, ChipRequest, Edge, Edges, OutputLine } from './backend.ts'
import { consumerOf } from './consumer.ts'
import { chooseChip, type FoundChip, listChips } from './find-chip.ts'
import type { Onoff } from './load-onoff.ts'
import { sysfsPwm } from './sysfs-pwm.ts'

export interface SysfsOptions {
  /** Where sysfs is mounted: `/sys`, but for tests. */
  readonly root: string
  readonly clock: Clock
  readonly loadOnoff: () => Promise<Onoff>
}

/** udev hands an exported line to the group gpio after a moment. */
const UDEV_MS = 1000
const UDEV_LOOK_MS = 5

export function sysfsBackend(options: SysfsOptions): Backend {
  return {
    open: async ({ labels, wantsPull }: ChipRequest, signal) => {
      signal.throwIfAborted()
      if (wantsPull) throw gpioError('gpio-no-pull', 'sysfs can not set a pull')
      const found = chooseChip(await listChips(options.root), labels)
      return sysfsChip(found, await options.loadOnoff(), options)
    },
  }
}

function sysfsChip(found: FoundChip, onoff: Onoff, options: SysfsOptions): Chip {
  const { label, base, lineCount } = found
  const { root, clock } = options
  const about = `${label} (${lineCount} lines, from ${base} on) by sysfs`

  const take = async (line: number, direction: 'in' | 'high' | 'low') => {
    if (line >= lineCount) throw lineMissing(line, label, lineCount)
    await exportLine({ root, clock, found, line })
    try {
      const gpio = new onoff(base + line, direction, direction === 'in' ? 'both' : 'none', { activeLow: false })
      await checkTaken(root, base + line, direction)
      return gpio
    } catch (cause) {
      if (systemCode(cause) === undefined) throw cause
      throw refused(`line ${line} of ${label}`, cause)
    }
  }
  const watched = async (line: number, edges: Edges, onEdge: (edge: Edge) => void) => {
    const gpio = await take(line, 'in')
    // onoff drops an edge whose level is past by the time it looks; so it is to take all, and the kernel sends those wanted.
    await writeFile(join(root, `class/gpio/gpio${base + line}/edge`), edges)
    gpio.watch((error, level) => {
      if (error == null) onEdge({ level: level === 1, timeMs: clock.now() })
    })
    return gpio
  }
  return {
    about,
    softwarePwmHz: 100,
    pwm: (line, pwm) => sysfsPwm({ root, clock, chip: found, line, ...pwm }),
    output: async (line, level) => {
      const gpio = await take(line, level ? 'high' : 'low')
      return outputLine(gpio, `line ${line} of ${label}`)
    },
    input: async (line, { onEdge }) => {
      const gpio = await watched(line, 'both', onEdge)
      let isOpen = true
      return {
        read: async () => readLevel(gpio, `line ${line} of ${label}`),
        close: async () => {
          if (isOpen) gpio.unexport()
          isOpen = false
        },
      }
    },
    edges: async (line, { edges, onEdge }) => {
      const gpio = await watched(line, edges, onEdge)
      let isOpen = true
      return {
        close: async () => {
          if (isOpen) gpio.unexport()
          isOpen = false
        },
      }
    },
  }
}

function outputLine(gpio: Gpio, what: string): OutputLine {
  let isOpen = true
  return {
    write: async (level) => {
      try {
        gpio.writeSync(level ? 1 : 0)
      } catch (cause) {
        throw refused(what, cause)
      }
    },
    read: async () => readLevel(gpio, what),
    close: async (level) => {
      if (!isOpen) return
      isOpen = false
      try {
        gpio.writeSync(level ? 1 : 0)
      } catch (cause) {
        throw refused(what, cause)
      } finally {
        // Unexporting, which is onoff's only way to close it, would free the line.
        const file: unknown = Reflect.get(gpio, '_valueFd')
        if (typeof file === 'number') closeSync(file)
      }
    },
  }
}

function readLevel(gpio: Gpio, what: string): boolean {
  try {
    return gpio.readSync() === 1
  } catch (cause) {
    throw refused(what, cause)
  }
}

async function exportLine(of: {
  readonly root: string
  readonly clock: Clock
  readonly found: FoundChip
  readonly line: number
}): Promise<void> {
  const { root, clock, found, line } = of
  const number = found.base + line
  const folder = join(root, `class/gpio/gpio${number}`)
  if (!(await isThere(folder))) {
    const file = join(root, 'class/gpio/export')
    try {
      await writeFile(file, String(number))
    } catch (cause) {
      const code = systemCode(cause)
      if (code === 'EACCES' || code === 'EPERM') throw notPermitted(file, cause)
      // Since it was looked at, somebody else exported it: it is taken over as one that was there.
      if (code === 'EBUSY' && !(await isThere(folder))) {
        throw lineHeld(line, found.label, await consumerOf(root, number))
      }
      if (code === 'EINVAL') throw lineMissing(line, found.label, found.lineCount)
      if (code !== 'EBUSY') throw refused(`line ${line} of ${found.label}`, cause)
    }
  }
  await writable(clock, join(folder, 'value'))
  await writable(clock, join(folder, 'direction'))
}

const isThere = async (path: string): Promise<boolean> => {
  try {
    await access(path)
    return true
  } catch {
    return false
  }
}

/** Resolves once this user may write the file; rejects with `gpio-not-permitted` when udev has not seen to it in time. */
async function writable(clock: Clock, path: string): Promise<void> {
  const endMs = clock.monotonic() + UDEV_MS
  for (;;) {
    try {
      await access(path, constants.R_OK | constants.W_OK)
      return
    } catch (cause) {
      if (clock.monotonic() >= endMs) throw notPermitted(path, cause)
      await clock.sleep(UDEV_LOOK_MS)
    }
  }
}

/** onoff passes over what fails on a line that is exported already. */
async function checkTaken(root: string, number: number, direction: 'in' | 'high' | 'low'): Promise<void> {
  const folder = join(root, `class/gpio/gpio${number}`)
  const [is = '', activeLow = ''] = await Promise.all(
    ['direction', 'active_low'].map(async (file) => (await readFile(join(folder, file), 'utf8')).trim()),
  )
  const wanted = direction === 'in' ? 'in' : 'out'
  if (is === wanted && activeLow === '0') return
  throw gpioError(
    'gpio-line-refused',
    `${folder} stays at direction ${is}, active_low ${activeLow}, not ${wanted} and 0`,
  )
}

const refused = (what: string, cause: unknown) =>
  gpioError('gpio-line-refused', `${what}: the kernel refused (${systemCode(cause) ?? String(cause)})`, cause)

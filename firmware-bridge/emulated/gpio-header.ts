/**
 * An emulated header of GPIO pins with wires on it: jumpers between pins, switches whose contacts bounce, sources of pulses.
 *
 * Pins that jumpers join are one net. What drives a net, first of these: a pin that is an output (two that disagree make it
 * low, as the stronger transistor of a CMOS pair is the lower one), a pin's PWM, a source outside, a pull. A net that nothing
 * drives floats: it reads at random, as a real one picks up its surroundings.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { createNoise } from './noise.ts'
import { bouncingSwitch, type Edge, square, steady, type Wave } from './waves.ts'

export type Pull = 'up' | 'down' | 'none'

export interface Switch {
  readonly pin: number
  /** Time between one movement and the next. */
  readonly everyS: number
  readonly bounceMs: number
}

export interface Pulses {
  readonly pin: number
  readonly frequencyHz: number
}

export interface Wires {
  readonly jumpers: readonly (readonly [number, number])[]
  readonly switches: readonly Switch[]
  readonly pulses: readonly Pulses[]
}

export interface GpioHeader {
  /** Adds wires to those that are there. */
  wire(wires: Wires): void
  /** Makes the pin an output at that level, or moves it. */
  drive(pin: number, level: boolean): void
  /** Makes the pin a PWM output; `duty` from 0 to 1. */
  drivePwm(pin: number, frequencyHz: number, duty: number): void
  /** Makes the pin an input again. */
  release(pin: number): void
  pull(pin: number, pull: Pull): void
  level(pin: number): boolean
  /** Calls back for each edge on the pin's net with its time, in order; the returned function ends it. */
  watch(pin: number, listener: (edge: Edge) => void): () => void
}

export interface GpioHeaderOptions {
  readonly clock: Clock
  /** No bounce, and nothing floats: for tests on a clock that stands still. */
  readonly instant?: boolean
}

/** How often sources are looked at, at most; edges between have their own times. */
const LOOK_MS = 5
/** Beyond the rounding of an edge's time. */
const JUST_AFTER_MS = 1e-6

interface Watcher {
  readonly pin: number
  readonly listener: (edge: Edge) => void
  level: boolean
  /** Until when its net was looked at, monotonic. */
  seenMs: number
}

export function createGpioHeader({ clock, instant = false }: GpioHeaderOptions): GpioHeader {
  const noise = createNoise('gpio-header')
  const joined = new Map<number, number>()
  const outputs = new Map<number, Wave>()
  const outside = new Map<number, Wave>()
  const pulls = new Map<number, Pull>()
  const watchers = new Set<Watcher>()
  let cancelLook: (() => void) | undefined

  const netOf = (pin: number): number => {
    const next = joined.get(pin)
    return next === undefined ? pin : netOf(next)
  }
  const onNet = <T>(all: ReadonlyMap<number, T>, net: number): T[] =>
    [...all].filter(([pin]) => netOf(pin) === net).map(([, each]) => each)

  /** The waves that drive the net together; the net is high while all of them are. */
  const driving = (net: number): readonly Wave[] => {
    const own = onNet(outputs, net)
    if (own.length > 0) return own
    return onNet(outside, net)
  }

  const levelAt = (net: number, atMs: number): boolean => {
    const waves = driving(net)
    if (waves.length > 0) return waves.every((wave) => wave.levelAt(atMs))
    const pull = onNet(pulls, net).find((each) => each !== 'none')
    if (pull !== undefined) return pull === 'up'
    return instant ? false : noise.uniform() < 0.5
  }

  const tell = (watcher: Watcher, level: boolean, atMs: number) => {
    if (level === watcher.level) return
    watcher.level = level
    watcher.listener({ level, timeMs: clock.now() - (clock.monotonic() - atMs) })
  }

  const isDriven = (net: number) => driving(net).length > 0 || onNet(pulls, net).some((pull) => pull !== 'none')

  /** Tells the watchers what has happened on their nets since they were last looked at. */
  const look = () => {
    const now = clock.monotonic()
    for (const watcher of watchers) {
      const net = netOf(watcher.pin)
      const times = driving(net).flatMap((wave) => wave.edgesBetween(watcher.seenMs, now))
      for (const atMs of times.sort((a, b) => a - b)) tell(watcher, levelAt(net, atMs + JUST_AFTER_MS), atMs)
      watcher.seenMs = now
      if (isDriven(net)) tell(watcher, levelAt(net, now), now)
    }
  }

  const keepLooking = () => {
    if (cancelLook !== undefined) return
    const moves = [...watchers].some(({ pin }) => driving(netOf(pin)).some((wave) => !wave.isSteady))
    if (!moves) return
    cancelLook = clock.after(LOOK_MS, () => {
      cancelLook = undefined
      look()
      keepLooking()
    })
  }

  const change = (apply: () => void) => {
    look()
    apply()
    look()
    keepLooking()
  }

  return {
    wire: ({ jumpers, switches, pulses }) =>
      change(() => {
        for (const [one, other] of jumpers) {
          const net = netOf(one)
          if (net !== netOf(other)) joined.set(net, netOf(other))
        }
        const startMs = clock.monotonic()
        for (const { pin, everyS, bounceMs } of switches) {
          outside.set(pin, bouncingSwitch({ startMs, everyMs: everyS * 1000, bounceMs: instant ? 0 : bounceMs }))
        }
        for (const { pin, frequencyHz } of pulses) outside.set(pin, square({ startMs, frequencyHz, duty: 0.5 }))
      }),
    drive: (pin, level) => change(() => outputs.set(pin, steady(level))),
    drivePwm: (pin, frequencyHz, duty) =>
      change(() => {
        if (duty <= 0 || duty >= 1) outputs.set(pin, steady(duty >= 1))
        else outputs.set(pin, square({ startMs: clock.monotonic(), frequencyHz, duty }))
      }),
    release: (pin) => change(() => outputs.delete(pin)),
    pull: (pin, pull) => change(() => pulls.set(pin, pull)),
    level: (pin) => levelAt(netOf(pin), clock.monotonic()),
    watch: (pin, listener) => {
      const now = clock.monotonic()
      const watcher: Watcher = { pin, listener, level: levelAt(netOf(pin), now), seenMs: now }
      watchers.add(watcher)
      keepLooking()
      return () => {
        watchers.delete(watcher)
        if (watchers.size > 0) return
        cancelLook?.()
        cancelLook = undefined
      }
    },
  }
}

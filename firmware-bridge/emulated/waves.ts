/** Levels over time that an emulated pin or what is wired to it makes; times are of a monotonic clock, in ms. */
import { createNoise } from './noise.ts'

export interface Edge {
  /** After the edge. */
  readonly level: boolean
  /** Epoch ms. */
  readonly timeMs: number
}

export interface Wave {
  readonly isSteady: boolean
  levelAt(atMs: number): boolean
  /** When it has edges after `fromMs`, up to and with `toMs`; in order. */
  edgesBetween(fromMs: number, toMs: number): readonly number[]
}

export const steady = (level: boolean): Wave => ({
  isSteady: true,
  levelAt: () => level,
  edgesBetween: () => [],
})

/** Begins low, so that the first edge is a rising one; `duty` between 0 and 1. */
export function square(of: { startMs: number; frequencyHz: number; duty: number }): Wave {
  const periodMs = 1000 / of.frequencyHz
  const lowMs = periodMs * (1 - of.duty)
  /** Edges so far: two a period. */
  const edgesBy = (atMs: number) => {
    const elapsedMs = atMs - of.startMs
    if (elapsedMs < 0) return 0
    const periods = Math.floor(elapsedMs / periodMs)
    return 2 * periods + (elapsedMs - periods * periodMs >= lowMs ? 1 : 0)
  }
  const edgeAt = (index: number) => of.startMs + Math.floor(index / 2) * periodMs + (index % 2 === 1 ? lowMs : 0)
  return {
    isSteady: false,
    levelAt: (atMs) => edgesBy(atMs) % 2 === 1,
    edgesBetween: (fromMs, toMs) => {
      const first = edgesBy(fromMs) + 1
      const last = edgesBy(toMs)
      return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => edgeAt(first + index))
    },
  }
}

/**
 * A switch that moves every so often, first to high; its contacts touch and part a few times before they rest (a few ms for
 * common ones: J. G. Ganssle, "A guide to debouncing", 2004). The same movement bounces in the same way whenever it is asked.
 */
export function bouncingSwitch(of: { startMs: number; everyMs: number; bounceMs: number }): Wave {
  const movement = (index: number): number[] => {
    const atMs = of.startMs + index * of.everyMs
    const lengthMs = Math.min(of.bounceMs, of.everyMs / 2)
    if (lengthMs <= 0) return [atMs]
    const noise = createNoise(`switch/${index}`)
    const pairs = 1 + Math.floor(noise.uniform() * 4)
    const later = Array.from({ length: 2 * pairs }, () => atMs + lengthMs * noise.uniform())
    return [atMs, ...later.sort((a, b) => a - b)]
  }
  const indexAt = (atMs: number) => Math.floor((atMs - of.startMs) / of.everyMs)
  const edgesBetween = (fromMs: number, toMs: number) => {
    const times: number[] = []
    for (let index = Math.max(1, indexAt(fromMs)); index <= indexAt(toMs); index++) {
      times.push(...movement(index).filter((atMs) => atMs > fromMs && atMs <= toMs))
    }
    return times
  }
  return {
    isSteady: false,
    edgesBetween,
    levelAt: (atMs) => {
      const index = indexAt(atMs)
      if (index < 1) return false
      // Each movement has an odd number of edges: the level before it is that of its number.
      const before = (index - 1) % 2 === 1
      return movement(index).filter((each) => each <= atMs).length % 2 === 1 ? !before : before
    },
  }
}

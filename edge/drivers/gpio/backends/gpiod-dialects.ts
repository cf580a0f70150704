/** How the tools of gpiod are called and what they say: version 1 (Debian 12) and version 2 (Debian 13) differ in both. Pure. */
import type { Edges, Pull } from './backend.ts'

export type GpiodVersion = 1 | 2

export interface DetectedChip {
  /** As the other tools take it: `gpiochip0`. */
  readonly name: string
  readonly label: string
  readonly lineCount: number
}

export interface LineEvent {
  readonly level: boolean
  /** As the kernel has it: since boot, from Linux 5.7 on; before, since 1970. */
  readonly timeMs: number
}

export interface Dialect {
  readonly version: GpiodVersion
  get(chip: string, line: number, pull: Pull | undefined): readonly string[]
  info(chip: string): readonly string[]
  /** Holds the line until it is ended. */
  hold(chip: string, line: number, level: boolean): readonly string[]
  /** Writes a line for each edge until it is ended. */
  watch(chip: string, line: number, edges: Edges, pull: Pull | undefined): readonly string[]
  /** Whether the tool writes a line once it has its pin; else `info` has to be asked. */
  readonly announces: boolean
  /** Of a line that `watch` wrote; undefined for anything else. */
  event(text: string): LineEvent | undefined
}

const BIAS_1 = { up: 'pull-up', down: 'pull-down', none: 'disable' } as const
const BIAS_2 = { up: 'pull-up', down: 'pull-down', none: 'disabled' } as const
const EDGES_1 = { rising: ['--rising-edge'], falling: ['--falling-edge'], both: [] } as const

const bias = (names: Readonly<Record<Pull, string>>, pull: Pull | undefined) =>
  pull === undefined ? [] : [`--bias=${names[pull]}`]

const first: Dialect = {
  version: 1,
  announces: false,
  get: (chip, line, pull) => ['gpioget', ...bias(BIAS_1, pull), chip, String(line)],
  info: (chip) => ['gpioinfo', chip],
  hold: (chip, line, level) => ['gpioset', '--mode=signal', chip, `${line}=${level ? 1 : 0}`],
  watch: (chip, line, edges, pull) => [
    'gpiomon',
    '--line-buffered',
    '--format=%e %s %n',
    ...EDGES_1[edges],
    ...bias(BIAS_1, pull),
    chip,
    String(line),
  ],
  event: (text) => {
    const [, edge, seconds, nanos] = /^([01]) +(\d+) +(\d+)$/.exec(text.trim()) ?? []
    if (edge === undefined) return undefined
    return { level: edge === '1', timeMs: Number(seconds) * 1000 + Number(nanos) / 1e6 }
  },
}

const second: Dialect = {
  version: 2,
  announces: true,
  get: (chip, line, pull) => ['gpioget', '--numeric', ...bias(BIAS_2, pull), '--chip', chip, String(line)],
  info: (chip) => ['gpioinfo', '--chip', chip],
  hold: (chip, line, level) => [
    'gpioset',
    '--banner',
    '--consumer=fernlab',
    '--chip',
    chip,
    `${line}=${level ? 1 : 0}`,
  ],
  watch: (chip, line, edges, pull) => [
    'gpiomon',
    '--banner',
    '--consumer=fernlab',
    '--format=%e %S',
    `--edges=${edges}`,
    ...bias(BIAS_2, pull),
    '--chip',
    chip,
    String(line),
  ],
  event: (text) => {
    const [, edge, seconds] = /^([12]) +(\d+\.\d+)$/.exec(text.trim()) ?? []
    return edge === undefined ? undefined : { level: edge === '1', timeMs: Number(seconds) * 1000 }
  },
}

/** What `gpiodetect --version` says; undefined for a version that is not known here. */
export function dialectOf(versionText: string): Dialect | undefined {
  const major = /libgpiod\)? v?(\d+)\./.exec(versionText)?.[1]
  return major === '1' ? first : major === '2' ? second : undefined
}

/** The chips that `gpiodetect` lists. */
export function chipsIn(text: string): DetectedChip[] {
  return [...text.matchAll(/^(\S+) \[(.*)\] \((\d+) lines?\)$/gm)].map(([, name = '', label = '', count]) => ({
    name,
    label,
    lineCount: Number(count),
  }))
}

/** Who holds the line, by what `gpioinfo` says; undefined for nobody, or a line that is not there. */
export function holderIn(text: string, line: number): string | undefined {
  // Its name is first, and may be any text.
  const rest = new RegExp(`^\\s*line +${line}:\\s*(?:"[^"]*"|unnamed)\\s+(.*)$`, 'm').exec(text)?.[1] ?? ''
  const [, second] = /\bconsumer=("[^"]*"|\S+)/.exec(rest) ?? []
  const [, first] = /^("[^"]*"|kernel)\s/.exec(rest) ?? []
  const holder = second ?? first
  return holder === 'kernel' ? 'the kernel' : holder?.replace(/^"(.*)"$/, '$1')
}

/** `fernlab daemon …` on the machine of a node: the verbs that both command lines have. */
import * as z from 'zod'
import {
  DAEMON_CONTROL,
  type DaemonChange,
  type DaemonLine,
  type DaemonReport,
  daemonChangeSchema,
  daemonLineSchema,
  daemonReportSchema,
} from '../contracts/daemon-control.ts'
import { LabError } from '../primitives/lab-error.ts'
import { didYouMean } from '../primitives/nearest.ts'
import type { Peer } from '../rpc/peer/peer.ts'
import { withNodeHere } from './node-here.ts'

export const daemonVerbs = ['ps', 'up', 'down', 'reload', 'logs'] as const
export type DaemonVerb = (typeof daemonVerbs)[number]

export interface DaemonVerbOptions {
  /** All where none is named. */
  readonly daemons: readonly string[]
  readonly dataFolder: string
  /** Where the data folder has several nodes. */
  readonly node: string | undefined
  readonly json: boolean
  /** Of `logs`: how many lines, and whether to go on. */
  readonly lines: number
  readonly follow: boolean
  readonly out: (line: string) => void
  readonly signal: AbortSignal
}

/** A daemon may take a minute to be up. */
const TIMEOUT_MS = 90_000

/** Does it; rejects when no node runs here, and with `daemon-down` when one that was started is not up. */
export async function daemonVerb(verb: DaemonVerb, options: DaemonVerbOptions): Promise<void> {
  await withNodeHere(options, (peer) => verbs[verb](peer, options))
}

const verbs: Readonly<Record<DaemonVerb, (peer: Peer, options: DaemonVerbOptions) => Promise<void>>> = {
  ps: async (peer, { daemons, json, out, signal }) => {
    const all = z.array(daemonReportSchema).parse(await peer.call(`${DAEMON_CONTROL}/list`, {}, { signal }))
    const unknown = daemons.find((name) => !all.some(({ daemon }) => daemon === name))
    if (unknown !== undefined) {
      const hint = didYouMean(
        unknown,
        all.map(({ daemon }) => daemon),
      )
      throw new LabError({ code: 'daemon-unknown', kind: 'caller', message: `there is no daemon ${unknown}${hint}` })
    }
    const chosen = all.filter(({ daemon }) => daemons.length === 0 || daemons.includes(daemon))
    if (json) out(JSON.stringify(chosen, null, 2))
    else if (chosen.length === 0) out('This node has no daemons: node.yaml names none.')
    else for (const report of chosen) for (const line of reportLines(report)) out(line)
  },
  up: (peer, options) => change(peer, 'up', { daemons: options.daemons }, options),
  down: (peer, options) => change(peer, 'down', { daemons: options.daemons }, options),
  reload: (peer, options) => change(peer, 'reload', {}, options),
  logs: async (peer, { daemons, json, lines, follow, out, signal }) => {
    const show = (given: unknown) => {
      const line = daemonLineSchema.parse(given)
      out(json ? JSON.stringify(line) : lineText(line))
    }
    // Asked for first, so that no line between both is missed; those that are in both are shown once.
    const following = follow ? peer.stream(`${DAEMON_CONTROL}/follow`, { daemons }, { signal }) : undefined
    const newest = await peer.call(`${DAEMON_CONTROL}/logs`, { daemons, most: lines }, { signal })
    const shown = z.array(daemonLineSchema).parse(newest)
    for (const line of shown) show(line)
    const last = shown.at(-1)?.number ?? 0
    try {
      for await (const line of following ?? []) if (daemonLineSchema.parse(line).number > last) show(line)
    } catch (thrown) {
      // Ctrl-C is how it ends.
      if (!signal.aborted) throw thrown
    }
  },
}

async function change(
  peer: Peer,
  verb: 'up' | 'down' | 'reload',
  args: object,
  { json, out, signal }: DaemonVerbOptions,
): Promise<void> {
  const given = await peer.call(`${DAEMON_CONTROL}/${verb}`, args, { timeoutMs: TIMEOUT_MS, signal })
  const changes = z.array(daemonChangeSchema).parse(given)
  if (json) out(JSON.stringify(changes, null, 2))
  else if (changes.length === 0) out('This node has no daemons: node.yaml names none.')
  else for (const each of changes) out(changeText(each))
  if (verb === 'down') return
  const down = changes.filter((each) => startedWords.has(each.change) && isDown(each)).map(({ daemon }) => daemon)
  if (down.length === 0) return
  throw new LabError({
    code: 'daemon-down',
    kind: 'instrument',
    message: `not up: ${down.join(', ')}; "fernlab daemon logs ${down[0]}" says more`,
  })
}

const startedWords: ReadonlySet<string> = new Set(['started', 'restarted', 'up already'])
const isDown = ({ state }: DaemonChange): boolean => state !== undefined && state !== 'up'

const changeText = ({ daemon, change: word, state, reason }: DaemonChange): string =>
  `${daemon}: ${word}${state === undefined || state === 'up' ? '' : `, now ${state}`}${reason === undefined ? '' : ` (${reason})`}`

function reportLines({ daemon, state, reason, pid, upSince, services }: DaemonReport): string[] {
  const since = upSince === undefined ? '' : ` since ${upSince}`
  const process = pid === undefined ? '' : `, process ${pid}`
  const first = `${daemon}: ${state}${since}${process}${reason === undefined ? '' : ` (${reason})`}`
  return [first, ...services.map(({ name, error }) => `  ${name}${error === undefined ? '' : `: ${error}`}`)]
}

const marks = { output: ' ', errors: '!', node: '*' } as const
const lineText = ({ time, daemon, from, text }: DaemonLine): string => `${time} ${daemon} ${marks[from]} ${text}`

import type { Command } from 'commander'
import { findHub } from './hub-address.ts'
import { HubClient } from './hub-client.ts'
import type { Terminal } from './terminal.ts'

/** What every verb is given. */
export interface Context {
  readonly terminal: Terminal
  /** Aborts at the first Ctrl-C, SIGTERM or SIGHUP, unless a verb asked for it with `onInterrupt`. */
  readonly signal: AbortSignal
  /** Lets a verb decide what these signals mean; returns a function that gives them back. */
  onInterrupt(handler: (signal: NodeJS.Signals) => void): () => void
}

/** Options of every verb that talks to a hub. */
export interface HubOptions {
  readonly hub?: string
  readonly token?: string
  readonly json?: boolean
  readonly quiet?: boolean
}

/** Adds `--hub`, `--token`, `--json` and `--quiet` to a verb. */
export function withHub(command: Command): Command {
  return command
    .option('--hub <address>', 'the hub, e.g. http://127.0.0.1:8080')
    .option('--token <token>', 'an API token')
    .option('--json', 'JSON instead of text; nobody is asked anything')
    .option('--quiet', 'the result alone: no hints, no progress')
}

/** A client of the hub that the options and the environment name. */
export async function openHub(context: Context, options: HubOptions): Promise<HubClient> {
  return new HubClient(await findHub(context.terminal.env, options))
}

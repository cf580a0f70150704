import { resolve } from 'node:path'
import { type DaemonVerb, daemonVerb } from '@fernlab/shared/programs/daemon-verbs'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { wholeNumber } from '../whole-number.ts'

interface DaemonOptions {
  readonly node?: string
  readonly json?: boolean
  readonly lines?: string
  readonly follow?: boolean
}

const LINES = '100'

/** `daemon ps`, `up`, `down`, `reload`, `logs`: the daemons of the node on this machine. */
export function addDaemon(program: Command, context: Context): void {
  const group = program.command('daemon').description("the processes of a node's own services, on its machine")
  const run = (verb: DaemonVerb) => (daemons: readonly string[], options: DaemonOptions) =>
    daemonVerb(verb, {
      daemons,
      dataFolder: resolve(context.terminal.env.FERNLAB_DATA || './data'),
      node: options.node,
      json: options.json === true,
      lines: wholeNumber('--lines', options.lines ?? LINES),
      follow: options.follow === true,
      out: (line) => context.terminal.out(line),
      signal: context.signal,
    })
  const verb = (name: DaemonVerb, about: string) =>
    group
      .command(name)
      .description(about)
      .option('--node <name>', 'the node, where several run here')
      .option('--json', 'JSON instead of text')
  verb('ps', 'each daemon, how it stands, and its services').argument('[daemon...]').action(run('ps'))
  verb('up', 'start daemons, all where none is named').argument('[daemon...]').action(run('up'))
  verb('down', 'stop daemons, all where none is named').argument('[daemon...]').action(run('down'))
  verb('reload', 'read node.yaml again, and restart what has changed').action((options: DaemonOptions) =>
    run('reload')([], options),
  )
  verb('logs', 'what daemons have written, by time')
    .argument('[daemon...]')
    .option('--lines <count>', `the newest; ${LINES} unless given`)
    .option('--follow', 'go on until Ctrl-C')
    .action(run('logs'))
}

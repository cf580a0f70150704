import { resolve } from 'node:path'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { type DaemonVerb, daemonVerb } from '@fernlab/shared/programs/daemon-verbs'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { wholeNumber } from '../whole-number.ts'

interface DaemonOptions {
  readonly node?: string
  readonly json?: boolean
  readonly lines?: string
  readonly follow?: boolean
  readonly export?: string
  readonly reason?: string
  readonly file?: string
}

const LINES = '100'
const ALL_LINES = '9999'

/** `daemon ps`, `info`, `up`, `down`, `reload`, `logs`, `unlock`, `rename`: the daemons of the node on this machine. */
export function addDaemon(program: Command, context: Context): void {
  const group = program.command('daemon').description("the processes of a node's own services, on its machine")
  const run = (verb: DaemonVerb) => (daemons: readonly string[], options: DaemonOptions) =>
    daemonVerb(verb, {
      daemons,
      dataFolder: resolve(context.terminal.env.FERNLAB_DATA || './data'),
      node: options.node,
      json: options.json === true,
      lines: wholeNumber('--lines', options.lines ?? (options.export === undefined ? LINES : ALL_LINES), {
        least: 1,
        most: Number(ALL_LINES),
      }),
      follow: options.follow === true,
      exportTo: options.export,
      reason: options.reason ?? '',
      nodeFile: options.file ?? (context.terminal.env.FERNLAB_NODE_FILE || undefined),
      clock: systemClock,
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
  verb('info', 'all of one daemon or service')
    .argument('<name>')
    .action((name: string, options: DaemonOptions) => run('info')([name], options))
  verb('up', 'start daemons, all where none is named').argument('[daemon...]').action(run('up'))
  verb('down', 'stop daemons, all where none is named').argument('[daemon...]').action(run('down'))
  verb('reload', 'read node.yaml again, and restart what has changed or can not be used').action(
    (options: DaemonOptions) => run('reload')([], options),
  )
  verb('logs', 'what daemons have written, by time')
    .argument('[daemon...]')
    .option('--lines <count>', `the newest; ${LINES} unless given`)
    .option('--follow', 'go on until Ctrl-C')
    .option('--export <file>', 'into a new file, all that are kept unless --lines says otherwise')
    .action(run('logs'))
  verb('unlock', 'end locks of services, whoever has them')
    .argument('<service...>')
    .option('--reason <text>', 'why: it is in the audit log of the hub')
    .action(run('unlock'))
  verb('rename', 'give a service another name, in node.yaml too')
    .argument('<service>')
    .argument('<name>')
    .option('--file <file>', 'node.yaml; FERNLAB_NODE_FILE, else what the node has read, unless given')
    .action((service: string, name: string, options: DaemonOptions) => run('rename')([service, name], options))
}

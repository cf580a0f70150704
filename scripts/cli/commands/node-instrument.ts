import type { Command } from 'commander'
import type { Context } from '../context.ts'

interface AddOptions {
  readonly node?: string
  readonly name?: string
  readonly driver?: string
  readonly set: readonly string[]
  readonly dryRun?: boolean
  readonly json?: boolean
}

/** `node add-instrument`: makes an instrument of node.yaml out of what is plugged in here. */
export function addNodeInstrument(node: Command, { terminal }: Context): void {
  node
    .command('add-instrument <find>')
    .description('make an instrument out of what "fernlab doctor" found on this machine')
    .option('--node <file>', "the node.yaml of this machine's node")
    .option('--name <name>', 'what the instrument is called')
    .option('--driver <kind>', 'another driver than the usual one')
    .option('--set <key=value>', 'a setting of its config; may be given again', collect, [])
    .option('--dry-run', 'only say what would be written')
    .option('--json', 'JSON instead of text')
    .action(async (find: string, { node: given, name, driver, set, dryRun = false, json }: AddOptions) => {
      const { addFound } = await import('@fernlab/edge/discovery/look-around')
      const { addedLines } = await import('@fernlab/edge/discovery/added-lines')
      const file = given ?? (terminal.env.FERNLAB_NODE_FILE || undefined)
      const added = await addFound({
        find,
        dataFolder: terminal.env.FERNLAB_DATA ?? './data',
        set,
        isDry: dryRun,
        ...(file === undefined ? {} : { file }),
        ...(name === undefined ? {} : { name }),
        ...(driver === undefined ? {} : { driver }),
      })
      if (json) terminal.out(JSON.stringify(added, null, 2))
      else for (const line of addedLines(added, dryRun)) terminal.out(line)
    })
}

const collect = (value: string, before: readonly string[]): string[] => [...before, value]

import { readFile } from 'node:fs/promises'
import { Argument, type Command } from 'commander'
import type { Context } from '../context.ts'

/** `schema`: the JSON Schema of a file that lab builders write, for their editors. */
export function addSchema(program: Command, { terminal }: Context): void {
  program
    .command('schema')
    .description('print the JSON Schema of lab.yaml, node.yaml or a protocol, for an editor')
    .addArgument(new Argument('<file>', 'which').choices(['lab', 'node', 'protocol']))
    .action(async (file: string) => {
      const path = new URL(import.meta.resolve(`@fernlab/shared/schemas/${file}.json`))
      terminal.out((await readFile(path, 'utf8')).trimEnd())
    })
}

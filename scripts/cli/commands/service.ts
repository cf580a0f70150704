import { type Command, Option } from 'commander'
import type { Context } from '../context.ts'

interface NewOptions {
  readonly language: 'typescript' | 'python'
  readonly json?: boolean
}

/** `service new`: a service of one's own; asks no hub. */
export function addService(program: Command, { terminal }: Context): void {
  program
    .command('service')
    .description('make a service of your own, for a daemon of a node')
    .command('new <dir>')
    .description('make the folder of a new service, named as the service: a whole one to change, which runs as it is')
    .addOption(
      new Option('--language <language>', 'what it is written in')
        .choices(['typescript', 'python'])
        .default('typescript'),
    )
    .option('--json', 'JSON instead of text')
    .action(async (folder: string, { language, json }: NewOptions) => {
      const { makeService } = await import('@fernlab/edge/driver-kit/new-service')
      await makeService({ folder, language, json: json === true, out: terminal.out, err: terminal.err })
    })
}

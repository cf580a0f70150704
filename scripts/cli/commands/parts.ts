import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { whenParentIsGone } from '@fernlab/shared/programs/when-parent-is-gone'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { hubAddress } from '../hub-address.ts'
import { mistake } from '../problem.ts'

/** `hub`, `edge`: one part alone, until Ctrl-C; the same as `npm run hub` and `npm run edge`. */
export function addParts(program: Command, context: Context): void {
  program
    .command('hub')
    .description('run a hub on this machine')
    .action(() => runPart(context, ['hub']))

  program
    .command('edge')
    .description('run a node on this machine')
    .requiredOption('--config <file>', 'the node.yaml')
    .option('--enroll <code>', 'the one-time code of "fernlab node enroll", the first time')
    .option('--hub <address>', 'the hub to enrol at')
    .option('--json', 'the log as JSON, one object a line, also at a terminal')
    .action(async (options: { config: string; enroll?: string; hub?: string; json?: true }) => {
      const enroll = options.enroll === undefined ? [] : ['--enroll', options.enroll]
      const hub = enroll.length === 0 ? [] : ['--hub', await hubAddress(context.terminal.env, options)]
      await runPart(context, [
        'edge',
        '--config',
        options.config,
        ...enroll,
        ...hub,
        ...(options.json ? ['--json'] : []),
      ])
    })
}

async function runPart(context: Context, args: readonly string[]): Promise<void> {
  const script = fileURLToPath(import.meta.resolve('fernlab/start/part.mjs'))
  const child = spawn(process.execPath, [script, ...args], { stdio: 'inherit' })
  // A terminal gives Ctrl-C to both; the rest has to be passed on.
  const giveBack = context.onInterrupt((signal) => signal !== 'SIGINT' && child.kill(signal))
  whenParentIsGone(() => child.kill('SIGTERM'))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', resolve)
  })
  giveBack()
  if (code !== 0) throw mistake('part-failed', `${args[0]} ended with ${code ?? 'a signal'}`)
}

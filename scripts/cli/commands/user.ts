import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { runningHub } from '../hub-address.ts'
import { openLocalHub } from '../local-hub.ts'

/** `user reset`: works on the hub's own data, for the person who can sign in no more. */
export function addUser(program: Command, context: Context): void {
  const { terminal } = context
  const user = program.command('user').description('people, on the machine of the hub')

  user
    .command('reset <email>')
    .description('make a one-time link with which this person chooses a new password')
    .option('--json', 'JSON instead of text')
    .action(async (email: string, options: { json?: boolean }) => {
      const link = await resetLink(terminal.env, email)
      terminal.out(options.json ? JSON.stringify({ email, link }) : link)
      if (!options.json) terminal.err('Good once, for an hour. Give it to nobody but this person.')
    })
}

async function resetLink(env: Context['terminal']['env'], email: string): Promise<string> {
  const { resetPassword } = await import('@fernlab/hub/accounts/passwords')
  const { config, store } = await openLocalHub(env)
  try {
    const publicUrl = config.publicUrl ?? (await runningHub(env)) ?? `http://${config.host}:${config.port}`
    return await resetPassword({ store, email, publicUrl })
  } finally {
    await store.close()
  }
}

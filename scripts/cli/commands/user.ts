import { existsSync } from 'node:fs'
import { silentLog } from '@fernlab/shared/primitives/log'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { runningHub } from '../hub-address.ts'
import { mistake } from '../problem.ts'

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
  // The hub's code is loaded for this verb alone.
  const [{ dataFolderOf }, { loadConfig }, { openStore, sqlitePath }, { resetPassword }] = await Promise.all([
    import('@fernlab/hub/config/config'),
    import('@fernlab/hub/config/load-config'),
    import('@fernlab/hub/store/store'),
    import('@fernlab/hub/accounts/passwords'),
  ])
  const folder = dataFolderOf(env, process.cwd())
  if (!existsSync(folder)) throw noHub(folder)
  const config = await loadConfig(env, process.cwd(), silentLog)
  const path = sqlitePath(config.databaseUrl)
  if (!existsSync(path)) throw noHub(path)
  const publicUrl = config.publicUrl ?? (await runningHub(env)) ?? `http://${config.host}:${config.port}`
  const store = await openStore({ url: config.databaseUrl, log: silentLog })
  try {
    return await resetPassword({ store, email, publicUrl })
  } finally {
    await store.close()
  }
}

const noHub = (path: string) =>
  mistake('no-hub-here', `there is no hub's data at ${path}`, 'Name its data folder with FERNLAB_DATA.')

import { resolve } from 'node:path'
import { systemClock as clock } from '@fernlab/shared/primitives/clock'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { openLocalHub } from '../local-hub.ts'
import { spokenTime } from '../shown-time.ts'
import { ownVersion } from '../version.ts'

/** `backup`, `restore`: work on the hub's own data, on its machine. */
export function addData(program: Command, context: Context): void {
  const { terminal } = context

  program
    .command('backup <dir>')
    .description('copy everything that the hub on this machine keeps into a new folder, while it runs')
    .option('--json', 'JSON instead of text')
    .action(async (dir: string, options: { json?: boolean }) => {
      const { backup } = await import('@fernlab/hub/maintenance/backup')
      const { config, store } = await openLocalHub(terminal.env)
      try {
        const manifest = await backup({
          database: store.database,
          hubFolder: config.hubFolder,
          target: resolve(dir),
          version: await ownVersion(),
          site: config.site,
          clock,
        })
        if (options.json) terminal.out(JSON.stringify(manifest, null, 2))
        else
          terminal.out(
            `${dir} holds site ${manifest.site} as of ${spokenTime(manifest.createdAt)}, ${size(manifest.files)}`,
          )
      } finally {
        await store.close()
      }
    })

  program
    .command('restore <dir>')
    .description('check a backup and put it into an empty data folder, named by FERNLAB_DATA')
    .option('--json', 'JSON instead of text')
    .action(async (dir: string, options: { json?: boolean }) => {
      const { restore } = await import('@fernlab/hub/maintenance/restore')
      const env = terminal.env
      const { manifest, dataFolder, databaseFile } = await restore({ from: resolve(dir), env, cwd: process.cwd() })
      if (options.json) terminal.out(JSON.stringify({ folder: dataFolder, databaseFile, ...manifest }, null, 2))
      else {
        terminal.out(`${dataFolder} now holds site ${manifest.site} as of ${spokenTime(manifest.createdAt)}`)
        terminal.out(`its database is ${databaseFile}`)
      }
    })
}

function size(files: Readonly<Record<string, { readonly bytes: number }>>): string {
  const bytes = Object.values(files).reduce((sum, file) => sum + file.bytes, 0)
  return `${(bytes / 1e6).toFixed(1)} MB`
}

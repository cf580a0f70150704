import { pushedLabSchema, type pushLabSchema } from '@fernlab/shared/contracts/api'
import type { Command } from 'commander'
import type { z } from 'zod'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import { checkLab, type LabFiles } from '../lab-files.ts'

/** `lab check`, `lab push`, `lab remove`. */
export function addLab(program: Command, context: Context): void {
  const { terminal } = context
  const lab = program.command('lab').description('check and push labs that you write')

  lab
    .command('check <dir...>')
    .description('check lab folders, without a hub')
    .option('--json', 'JSON instead of text')
    .action(async (folders: string[], options: { json?: boolean }) => {
      const checked = []
      for (const folder of folders) {
        const { lab: bundle } = await checkLab(folder)
        const protocols = Object.keys(bundle.protocols)
        checked.push({ folder, lab: bundle.id, protocols })
        if (!options.json) terminal.out(`${folder}: ${bundle.id} is fine (${protocols.join(', ')})`)
      }
      if (options.json) terminal.out(JSON.stringify(checked, null, 2))
    })

  withHub(lab.command('push <dir>').description('check a lab folder and put it into the catalogue')).action(
    async (folder: string, options: HubOptions) => {
      const { lab: bundle, files } = await checkLab(folder)
      const client = await openHub(context, options)
      const pushed = await client.call(pushedLabSchema, `/api/v1/labs/${bundle.id}`, {
        method: 'PUT',
        body: { files: pushable(files) },
        timeoutMs: 120_000,
      })
      if (options.json) terminal.out(JSON.stringify(pushed, null, 2))
      else if (pushed.changed) terminal.out(`${pushed.id} is in the catalogue as version ${pushed.version}`)
      else terminal.out(`${pushed.id} is unchanged, version ${pushed.version}`)
    },
  )

  withHub(
    lab
      .command('remove <lab>')
      .description('take a lab out of the catalogue; its runs stay, and a push brings it back'),
  ).action(async (id: string, options: HubOptions) => {
    const client = await openHub(context, options)
    await client.fetch(`/api/v1/labs/${encodeURIComponent(id)}`, { method: 'DELETE' })
    terminal.out(options.json ? JSON.stringify({ id, removed: true }) : `${id} is no longer in the catalogue`)
  })
}

const pushable = (files: LabFiles): z.input<typeof pushLabSchema>['files'] =>
  Object.entries(files).map(([path, content]) =>
    typeof content === 'string' ? { path, text: content } : { path, base64: Buffer.from(content).toString('base64') },
  )

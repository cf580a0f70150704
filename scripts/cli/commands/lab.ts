import { basename, join, resolve } from 'node:path'
import { pushedLabSchema, type pushLabSchema } from '@fernlab/shared/contracts/api'
import { nameSchema } from '@fernlab/shared/contracts/common'
import { writeNewFolder } from '@fernlab/shared/storage/new-folder'
import type { Command } from 'commander'
import type { z } from 'zod'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import { checkLab, type LabFiles } from '../lab-files.ts'
import { newLabFiles } from '../new-lab.ts'
import { misspelt } from '../problem.ts'
import { addLabShow } from './lab-show.ts'

/** `lab new`, `lab check`, `lab show`, `lab file`, `lab push`, `lab remove`. */
export function addLab(program: Command, context: Context): void {
  const { terminal } = context
  const lab = program.command('lab').description('look at labs of the catalogue; check and push those that you write')

  lab
    .command('new <dir>')
    .description('make the folder of a new lab, named as the lab: a whole one to change, which check passes')
    .option('--title <words>', 'what it is called; asked for on a terminal')
    .option('--summary <words>', 'one line for the catalogue; asked for on a terminal')
    .option('--no-session', 'without live sessions and their panel')
    .option('--json', 'JSON instead of text')
    .action(async (folder: string, options: NewOptions) => {
      const id = nameOf(folder)
      const title = options.title ?? (await answered(context, options, 'Title', titleOf(id)))
      const summary = options.summary ?? (await answered(context, options, 'Summary, one line', defaultSummary))
      const files = newLabFiles({ title, summary, session: options.session })
      await writeNewFolder(folder, files)
      const paths = Object.keys(files)
      if (options.json) return terminal.out(JSON.stringify({ folder, lab: id, files: paths }, null, 2))
      for (const path of paths) terminal.out(join(folder, path))
      terminal.err(`Change these, then: fernlab lab check ${folder} && fernlab lab push ${folder}`)
    })

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

  addLabShow(lab, context)

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

interface NewOptions {
  readonly title?: string
  readonly summary?: string
  readonly session: boolean
  readonly json?: boolean
}

const defaultSummary = 'Sets a voltage and measures what comes of it.'

/** `rc-circuit` is `Rc circuit`. */
const titleOf = (id: string): string => {
  const words = id.replaceAll(/[-_]+/g, ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** The lab's name, which is that of its folder. */
function nameOf(folder: string): string {
  const id = basename(resolve(folder))
  const read = nameSchema.safeParse(id)
  if (read.success) return id
  throw misspelt('dir', `a lab can not be called "${id}": ${read.error.issues[0]?.message}`)
}

/** What the person answers, or what stands without anybody to ask. */
async function answered({ terminal }: Context, { json }: NewOptions, what: string, usual: string): Promise<string> {
  if (json === true || !terminal.asks) return usual
  const answer = (await terminal.ask(`${what} [${usual}]: `)).trim()
  return answer === '' ? usual : answer
}

const pushable = (files: LabFiles): z.input<typeof pushLabSchema>['files'] =>
  Object.entries(files).map(([path, content]) =>
    typeof content === 'string' ? { path, text: content } : { path, base64: Buffer.from(content).toString('base64') },
  )

import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type ImportedPeople,
  type ImportProgress,
  importedPeopleSchema,
  importProgressSchema,
} from '@fernlab/shared/contracts/api'
import { type Role, roles } from '@fernlab/shared/contracts/people'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { listText } from '@fernlab/shared/primitives/list-text'
import { type Command, Option } from 'commander'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import type { HubClient } from '../hub-client.ts'
import { untilInterrupted } from '../interrupt.ts'
import { mistake } from '../problem.ts'
import { printList } from '../table.ts'

type ImportOptions = HubOptions & { role: Role; group?: string; preview?: boolean }

const path = '/api/v1/users/import'
/** 50,000 people over a slow line, to a small hub. */
const LONGEST_MS = 15 * 60_000
const LOOK_MS = 300
/** How long it is asked what became of an import that was stopped. */
const FATE_MS = 30_000

/** `user import`. */
export function addUserImport(user: Command, context: Context): void {
  withHub(
    user
      .command('import <file>')
      .description(
        'make accounts for a list of people: CSV with the columns name, email and, if wanted, role and groups; "-" reads standard input; Ctrl-C stops it, and nobody is made',
      ),
  )
    .addOption(new Option('-r, --role <role>', 'of lines that name none').choices([...roles]).default('student'))
    .option('-g, --group <group>', 'of lines that name none; who has an account is put in too')
    .option('--preview', 'look the list through and make nobody')
    .action(async (file: string, options: ImportOptions) => {
      const csv = await listIn(context.terminal, file)
      const client = await openHub(context, options)
      show(context.terminal, await importList(context, client, csv, options), options)
    })
}

async function importList(
  context: Context,
  client: HubClient,
  csv: string,
  options: ImportOptions,
): Promise<ImportedPeople> {
  const { terminal } = context
  const ref = randomUUID()
  const preview = options.preview === true
  const group = options.group === undefined ? {} : { group: options.group }
  const why = new LabError({ code: 'interrupted-by-person', kind: 'caller', message: 'stopped' })
  const { signal, release } = untilInterrupted(context, why)
  const ended = new AbortController()
  const telling = tell(terminal, client, ref, AbortSignal.any([signal, ended.signal]))
  try {
    const body = { csv, role: options.role, ...group, preview, ref }
    return await client.call(importedPeopleSchema, path, { method: 'POST', body, signal, timeoutMs: LONGEST_MS })
  } catch (error) {
    if (!signal.aborted) throw error
    const message = preview ? 'stopped; a preview makes nobody' : await fate(client, ref)
    throw new LabError({ code: 'interrupted-by-person', kind: 'caller', message })
  } finally {
    ended.abort()
    release()
    await telling
    terminal.progress('')
  }
}

const latest = async (client: HubClient, ref: string): Promise<ImportProgress | undefined> =>
  (await client.call(importProgressSchema, path)).items.find((one) => one.ref === ref)

/** Says how far it is until the signal aborts. */
async function tell(terminal: Context['terminal'], client: HubClient, ref: string, signal: AbortSignal): Promise<void> {
  terminal.progress('sending the list …')
  try {
    for (;;) {
      await sleep(LOOK_MS, undefined, { signal })
      const now = await latest(client, ref)
      if (now !== undefined && !signal.aborted) terminal.progress(stepText(now))
    }
  } catch {
    // Ended; or the hub does not answer, which the import itself tells.
  }
}

function stepText({ step, done, of }: ImportProgress): string {
  const far = of === 0 ? '' : ` ${done} of ${of}`
  switch (step) {
    case 'waiting':
      return 'waiting for another import …'
    case 'reading':
      return `reading the list …${far}`
    case 'checking':
      return `looking for those who have an account …${far}`
    case 'writing':
      return `writing …${far}`
    case 'done':
    case 'stopped':
      return ''
  }
}

/** What became of an import whose call was given up. */
async function fate(client: HubClient, ref: string): Promise<string> {
  const from = Date.now()
  while (Date.now() - from < FATE_MS) {
    const now = await latest(client, ref)
    // One whose list had not come whole was never begun.
    if (now === undefined || now.step === 'stopped') return 'stopped; nobody was made'
    if (now.step === 'done')
      return `everybody was made already (${now.of} in the list) when it was stopped\n  Without letters their links are lost: who wants one asks for a new password, or "fernlab user reset" makes one.`
    await sleep(LOOK_MS)
  }
  return 'stopped; the hub does not say yet what became of it\n  Look again with --preview: it says who was here already.'
}

function show(terminal: Context['terminal'], imported: ImportedPeople, options: ImportOptions): void {
  const { people, letters, count, fresh } = imported
  const preview = options.preview === true
  printList(terminal, people, {
    ...options,
    columns: {
      line: (item) => item.line,
      name: (item) => item.name,
      mail: (item) => item.email,
      role: (item) => item.role,
      groups: (item) => item.groups.join(' '),
      account: (item) => (item.known ? 'was here' : preview ? 'new' : (item.link ?? 'a letter is on its way')),
    },
    empty: 'Nobody is in the list.',
  })
  if (people.length < count) terminal.err(`… and ${count - people.length} more.`)
  if (options.json) return
  const outcome = preview ? `${fresh} would be made` : `${fresh} made`
  const next =
    preview || letters || fresh === 0 ? '' : ' Give each their link; it works for two weeks and is not shown again.'
  terminal.err(`${outcome}, ${count - fresh} were here already.${next}`)
}

async function listIn(terminal: Context['terminal'], file: string): Promise<string> {
  if (file === '-') {
    const lines: string[] = []
    for (let line = await terminal.nextLine(); line !== undefined; line = await terminal.nextLine()) lines.push(line)
    const text = lines.join('\n')
    // Read as lines of UTF-8, every other byte of UTF-16 is a zero.
    if (!text.includes('\0')) return text
    throw mistake('file', 'what came in is not UTF-8', 'Save the list as “CSV UTF-8”, or name the file.')
  }
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw mistake('file', `${file} can't be read (${error.code})`)
  })
  return listText(bytes)
}

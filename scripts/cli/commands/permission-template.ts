import {
  type ApplyTemplate,
  appliedTemplateSchema,
  type PermissionTemplate,
  templateSchema,
} from '@fernlab/shared/contracts/permissions'
import { usualTerms } from '@fernlab/shared/contracts/terms'
import type { Command } from 'commander'
import { allPages } from '../all-pages.ts'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import type { HubClient } from '../hub-client.ts'
import { readSubject, readTerms, subjectText, termsHelp, termsText } from '../permission-words.ts'
import { mistake } from '../problem.ts'
import { printList } from '../table.ts'
import { timeIn } from '../time-in.ts'

interface ApplyOptions extends HubOptions {
  readonly labs?: string
  readonly from?: string
  readonly until?: string
  readonly note?: string
  readonly preview?: boolean
}

const templates = '/api/v1/permission-templates'
const path = (id: string, more = '') => `${templates}/${encodeURIComponent(id)}${more}`
const allOf = (client: HubClient): Promise<PermissionTemplate[]> => allPages(client, templateSchema, templates)

/** `permission templates`; `permission template save`, `remove`, `apply`. */
export function addTemplates(permission: Command, context: Context): void {
  const { terminal } = context
  const template = permission.command('template').description('terms by name, to begin permissions with')

  withHub(permission.command('templates').description('terms by name, to begin a permission with')).action(
    async (options: HubOptions) => {
      printList(terminal, await allOf(await openHub(context, options)), {
        ...options,
        columns: {
          template: (item) => item.id,
          title: (item) => item.title,
          gives: (item) => termsText(item.gives),
        },
        empty: 'No templates. Make one with "fernlab permission template save NAME --title TITLE TERM=VALUE…".',
      })
    },
  )

  withHub(
    template
      .command('save <template> [terms...]')
      .description(`make a template, or change one; what is not said stays, or is the usual; ${termsHelp}`),
  )
    .option('--title <words>', 'what it is called')
    .option('--like <template>', 'begin with the terms of this one')
    .action(async (id: string, words: string[], options: HubOptions & { title?: string; like?: string }) => {
      const terms = readTerms(words)
      const client = await openHub(context, options)
      const known = await allOf(client)
      const before = known.find((one) => one.id === (options.like ?? id))
      if (options.like !== undefined && before === undefined)
        throw mistake('like', `there is no template "${options.like}"`, 'See "fernlab permission templates".')
      const title = options.title ?? known.find((one) => one.id === id)?.title ?? id
      const body = { title, gives: { ...usualTerms, ...before?.gives, ...terms } }
      const saved = await client.call(templateSchema, path(id), { method: 'PUT', body })
      terminal.out(options.json ? JSON.stringify(saved, null, 2) : `${saved.id}: ${termsText(saved.gives)}`)
    })

  withHub(
    template.command('remove <template>').description('remove a template; permissions that began with it stay'),
  ).action(async (id: string, options: HubOptions) => {
    const client = await openHub(context, options)
    await client.fetch(path(id), { method: 'DELETE' })
    terminal.out(options.json ? JSON.stringify({ id, removed: true }) : `${id} is removed`)
  })

  withHub(
    template
      .command('apply <template> <subjects...>')
      .description('give its terms to all of these, all or none: everyone, role:ROLE, group:GROUP, person:MAIL'),
  )
    .option('--labs <labs>', 'in each of these, with commas between; every lab unless given')
    .option('--from <time>', 'from then on')
    .option('--until <time>', 'until then')
    .option('--note <words>', 'what it is for')
    .option('--preview', 'only say what would be given')
    .action(async (id: string, subjects: string[], options: ApplyOptions) => {
      const { labs, from, until, note, preview = false } = options
      const body: ApplyTemplate = {
        subjects: subjects.map(readSubject),
        ...(labs === undefined ? {} : { labs: labs.split(',') }),
        ...(from === undefined ? {} : { from: timeIn('--from', from) }),
        ...(until === undefined ? {} : { until: timeIn('--until', until) }),
        ...(note === undefined ? {} : { note }),
        preview,
      }
      const client = await openHub(context, options)
      const done = await client.call(appliedTemplateSchema, path(id, '/apply'), { method: 'POST', body })
      if (options.json) return terminal.out(JSON.stringify(done, null, 2))
      for (const { subject, subjectName, lab } of done.items) {
        const whom = subjectText({ subject, ...(subjectName === undefined ? {} : { subjectName }) })
        terminal.out(`${preview ? 'would be given' : 'given'} to ${whom}, ${lab ?? 'every lab'}`)
      }
      if (done.already > 0) terminal.err(`${done.already} left out: the same is given already`)
    })
}

import {
  type CreatePermission,
  type EffectivePermission,
  effectiveSchema,
  type Permission,
  permissionSchema,
  type Term,
} from '@fernlab/shared/contracts/permissions'
import { termNames } from '@fernlab/shared/contracts/terms'
import type { Command } from 'commander'
import { allPages } from '../all-pages.ts'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import { personAt } from '../people.ts'
import { changeOf, scoped, type Where, whereOf } from '../permission-change.ts'
import { readSubject, readTerms, subjectText, termsHelp, termsText, valueText } from '../permission-words.ts'
import { cellTime } from '../shown-time.ts'
import { printList } from '../table.ts'
import { addBulk } from './permission-bulk.ts'
import { addTemplates } from './permission-template.ts'

const path = (id: string, more = '') => `/api/v1/permissions/${encodeURIComponent(id)}${more}`

/** `permission list`, `show`, `give`, `change`, `copy`, `take`, `mine`, and what is done with templates. */
export function addPermission(program: Command, context: Context): void {
  const { terminal } = context
  const permission = program.command('permission').description('who may use which lab how')
  const show = (options: HubOptions, one: Permission, words: string) =>
    terminal.out(options.json ? JSON.stringify(one, null, 2) : `${one.id}: ${words} ${subjectText(one)}`)

  withHub(permission.command('list').description('the permissions'))
    .option('--lab <lab>', 'those that count in this lab')
    .option('--for <subject>', 'everyone, role:ROLE, group:GROUP or person:ID')
    .action(async (options: HubOptions & { lab?: string; for?: string }) => {
      const subject = options.for === undefined ? undefined : readSubject(options.for)
      const query = new URLSearchParams({
        ...(options.lab === undefined ? {} : { lab: options.lab }),
        ...(subject === undefined ? {} : { kind: subject.kind }),
        ...(subject !== undefined && 'id' in subject ? { subject: subject.id } : {}),
      })
      const found = await allPages(await openHub(context, options), permissionSchema, '/api/v1/permissions', { query })
      printList(terminal, found, {
        ...options,
        columns: {
          permission: (item) => item.id,
          for: subjectText,
          lab: (item) => item.lab ?? 'every lab',
          protocols: (item) => item.protocols?.join(' ') ?? 'all',
          from: (item) => cellTime(item.from),
          until: (item) => cellTime(item.until),
          gives: (item) => termsText(item.gives),
        },
        empty: 'No permissions: nobody but admins may run anything. Give one with "fernlab permission give".',
      })
    })

  withHub(permission.command('show <permission>').description('one permission, term by term')).action(
    async (id: string, options: HubOptions) => {
      const one = await (await openHub(context, options)).call(permissionSchema, path(id))
      if (options.json) return terminal.out(JSON.stringify(one, null, 2))
      terminal.out(`${one.id}, for ${subjectText(one)} in ${one.lab ?? 'every lab'}`)
      terminal.out(`protocols: ${one.protocols?.join(', ') ?? 'all'}`)
      terminal.out(`from ${one.from ?? 'always'} until ${one.until ?? 'for ever'}`)
      if (one.note !== undefined) terminal.out(`note: ${one.note}`)
      for (const term of termNames) terminal.out(`${term}: ${valueText(one.gives[term])}`)
    },
  )

  scoped(
    permission
      .command('give <subject> [terms...]')
      .description(`give a permission to everyone, role:ROLE, group:GROUP or person:MAIL; ${termsHelp}`),
  )
    .option('-t, --template <template>', 'begin with these terms')
    .action(async (subject: string, terms: string[], options: HubOptions & Where & { template?: string }) => {
      const { from, until, note, ...where } = whereOf(options)
      const body: CreatePermission = {
        subject: readSubject(subject),
        ...where,
        ...(from == null ? {} : { from }),
        ...(until == null ? {} : { until }),
        ...(note == null ? {} : { note }),
        ...(options.template === undefined ? {} : { template: options.template }),
        gives: readTerms(terms),
      }
      const client = await openHub(context, options)
      const made = await client.call(permissionSchema, '/api/v1/permissions', { method: 'POST', body })
      show(options, made, 'given to')
    })

  scoped(permission.command('change <permission> [terms...]').description(`change a permission, at once; ${termsHelp}`))
    .option('--to <subject>', 'for somebody else')
    .action(async (id: string, terms: string[], options: HubOptions & Where & { to?: string }) => {
      const client = await openHub(context, options)
      const body = changeOf(terms, options)
      show(options, await client.call(permissionSchema, path(id), { method: 'PUT', body }), 'changed, for')
    })
  scoped(
    permission
      .command('copy <permission> <subject> [terms...]')
      .description(`give the same to somebody else; ${termsHelp}`),
  ).action(async (id: string, subject: string, terms: string[], options: HubOptions & Where) => {
    const client = await openHub(context, options)
    const body = changeOf(terms, { ...options, to: subject })
    show(options, await client.call(permissionSchema, path(id, '/copy'), { method: 'POST', body }), 'given to')
  })
  withHub(
    permission.command('take <permission>').description('take a permission away, at once; what waits stays'),
  ).action(async (id: string, options: HubOptions) => {
    const client = await openHub(context, options)
    await client.fetch(path(id), { method: 'DELETE' })
    terminal.out(options.json ? JSON.stringify({ id, taken: true }) : `${id} is taken away`)
  })
  addBulk(permission, context)
  addTemplates(permission, context)
  withHub(permission.command('mine <lab>').description('what you may in a lab now, and which permission gives what'))
    .option('--protocol <protocol>', 'in this protocol')
    .option('--person <person>', 'of somebody else, by id or mail address, for staff')
    .action(async (lab: string, options: HubOptions & { protocol?: string; person?: string }) => {
      const client = await openHub(context, options)
      const person = options.person?.includes('@') ? (await personAt(client, options.person)).id : options.person
      const query = new URLSearchParams({
        ...(options.protocol === undefined ? {} : { protocol: options.protocol }),
        ...(person === undefined ? {} : { person }),
      })
      const may = await client.call(effectiveSchema, `/api/v1/labs/${encodeURIComponent(lab)}/permission?${query}`)
      if (options.json) return terminal.out(JSON.stringify(may, null, 2))
      const rows = termNames.map((term) => ({ term, value: valueText(may.gives[term]), by: sourceText(may, term) }))
      printList(terminal, rows, {
        columns: { term: (row) => row.term, value: (row) => row.value, 'given by': (row) => row.by },
        empty: '',
      })
      if (!may.gives.mayQueue)
        terminal.err(`No permission lets you queue here. Ask ${may.ask.join(', ') || 'the staff'}.`)
    })
}

function sourceText({ unlimited, sources, permissions }: EffectivePermission, term: Term): string {
  if (unlimited) return 'admins are not limited'
  const source = permissions.find(({ id }) => id === sources[term])
  return source === undefined ? '' : `${source.id}, ${subjectText(source)}`
}

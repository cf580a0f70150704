import {
  type CreatePermission,
  type EffectivePermission,
  effectiveSchema,
  type Permission,
  permissionSchema,
  type Subject,
  subjectSchema,
  type Term,
  type Terms,
  templateSchema,
  termsSchema,
} from '@fernlab/shared/contracts/permissions'
import { termNames } from '@fernlab/shared/contracts/terms'
import type { Command } from 'commander'
import { allPages } from '../all-pages.ts'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import { mistake } from '../problem.ts'
import { printList } from '../table.ts'

interface Where {
  readonly lab?: string
  readonly protocols?: string
  readonly from?: string
  readonly until?: string
  readonly note?: string
}

const path = (id: string, more = '') => `/api/v1/permissions/${encodeURIComponent(id)}${more}`
const termsHelp = `terms as NAME=VALUE: ${termNames.join(', ')}; times in seconds, "none" for no limit`

/** `permission list`, `give`, `change`, `copy`, `take`, `templates`, `mine`. */
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
          from: (item) => item.from ?? '',
          until: (item) => item.until ?? '',
          gives: (item) => termsText(item.gives),
        },
        empty: 'No permissions: nobody but admins may run anything. Give one with "fernlab permission give".',
      })
    })

  const scoped = (command: Command) =>
    withHub(command)
      .option('--lab <lab>', 'in this lab; "all" for every one')
      .option('--protocols <names>', 'only these, with commas between; "all" for every one')
      .option('--from <time>', 'from then on; "none" for always')
      .option('--until <time>', 'until then; "none" for ever')
      .option('--note <words>', 'what it is for; "none" for nothing')

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
  withHub(permission.command('templates').description('terms by name, to begin a permission with')).action(
    async (options: HubOptions) => {
      const templates = await allPages(await openHub(context, options), templateSchema, '/api/v1/permission-templates')
      printList(terminal, templates, {
        ...options,
        columns: {
          template: (item) => item.id,
          title: (item) => item.title,
          gives: (item) => termsText(item.gives),
        },
        empty: 'No templates.',
      })
    },
  )
  withHub(permission.command('mine <lab>').description('what you may in a lab now, and which permission gives what'))
    .option('--protocol <protocol>', 'in this protocol')
    .option('--person <person>', 'of somebody else, by id, for staff')
    .action(async (lab: string, options: HubOptions & { protocol?: string; person?: string }) => {
      const query = new URLSearchParams({
        ...(options.protocol === undefined ? {} : { protocol: options.protocol }),
        ...(options.person === undefined ? {} : { person: options.person }),
      })
      const client = await openHub(context, options)
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

function readSubject(text: string): Subject {
  const [kind, ...rest] = text.split(':')
  const id = rest.join(':')
  const read = subjectSchema.safeParse(kind === 'everyone' && id === '' ? { kind } : { kind, id })
  if (read.success) return read.data
  throw mistake('subject', `"${text}" is nobody`, 'Say everyone, role:student, group:optics or person:ada@example.org.')
}

function readTerms(words: readonly string[]): Partial<Terms> {
  const entries = words.map((word) => {
    const [name = '', text = ''] = word.split('=')
    const term = termNames.find((known) => known === name)
    if (term === undefined) throw mistake('terms', `"${word}" is no term`, `Terms: ${termNames.join(', ')}.`)
    const value = text === 'none' ? null : text === 'yes' ? true : text === 'no' ? false : Number(text || 'x')
    const read = termsSchema.shape[term].safeParse(value)
    if (!read.success) throw mistake('terms', `${name}="${text}" can't be`, 'Say a number, "none", or yes or no.')
    return [term, read.data] as const
  })
  return Object.fromEntries(entries) as Partial<Terms>
}

function whereOf({ lab, protocols, from, until, note }: Where) {
  const time = (option: string, text: string) => {
    const at = new Date(text)
    if (Number.isNaN(at.getTime())) throw mistake(option, `--${option} "${text}" is not a time`, 'Such as 2027-02-01.')
    return at.toISOString()
  }
  return {
    ...(lab === undefined ? {} : { lab: lab === 'all' ? null : lab }),
    ...(protocols === undefined ? {} : { protocols: protocols === 'all' ? null : protocols.split(',') }),
    ...(from === undefined ? {} : { from: from === 'none' ? null : time('from', from) }),
    ...(until === undefined ? {} : { until: until === 'none' ? null : time('until', until) }),
    ...(note === undefined ? {} : { note: note === 'none' ? null : note }),
  }
}

const changeOf = (terms: readonly string[], options: Where & { readonly to?: string }) => ({
  ...(options.to === undefined ? {} : { subject: readSubject(options.to) }),
  ...whereOf(options),
  ...(terms.length === 0 ? {} : { gives: readTerms(terms) }),
})

function subjectText({ subject, subjectName }: Pick<Permission, 'subject' | 'subjectName'>): string {
  if (subject.kind === 'everyone') return 'everyone'
  return `${subject.kind}:${subject.id}${subjectName === undefined || subject.kind === 'group' ? '' : ` (${subjectName})`}`
}

const valueText = (value: Terms[Term]): string =>
  value === null ? 'none' : typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value)
const termsText = (gives: Terms): string => termNames.map((term) => `${term}=${valueText(gives[term])}`).join(' ')

function sourceText({ unlimited, sources, permissions }: EffectivePermission, term: Term): string {
  if (unlimited) return 'admins are not limited'
  const source = permissions.find(({ id }) => id === sources[term])
  return source === undefined ? '' : `${source.id}, ${subjectText(source)}`
}

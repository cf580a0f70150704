import { type AuditEntry, auditEntrySchema } from '@fernlab/shared/contracts/audit'
import { changeIn } from '@fernlab/shared/contracts/audit-change'
import type { Command } from 'commander'
import { allPages } from '../all-pages.ts'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import { filterQuery, listNumber } from '../filter-query.ts'
import { cellTime } from '../shown-time.ts'
import { printList } from '../table.ts'

interface AuditOptions extends HubOptions {
  readonly person?: string
  readonly action?: string
  readonly subject?: string
  readonly from?: string
  readonly to?: string
  readonly number: string
  readonly csv?: boolean
}

/** `audit`: who changed what. */
export function addAudit(program: Command, context: Context): void {
  const { terminal } = context
  withHub(program.command('audit').description('who changed what, newest first; for admins'))
    .option('--person <person>', 'what this person did: an id or a mail address')
    .option('--action <action>', 'such as person.role, or settings for all settings')
    .option('--subject <subject>', 'what was done to this: an id, or the mail address of a person')
    .option('--from <time>', 'from this time on, such as 2027-02-01')
    .option('--to <time>', 'before this time')
    .option('-n, --number <number>', 'how many', '50')
    .option('--csv', 'all that fit, as CSV')
    .action(async (options: AuditOptions) => {
      const query = filterQuery(options, ['person', 'action', 'subject'])
      const limit = listNumber(options.number)
      const client = await openHub(context, options)
      if (options.csv === true) {
        terminal.out((await (await client.fetch(`/api/v1/audit.csv?${query}`)).text()).trimEnd())
        return
      }
      printList(terminal, await allPages(client, auditEntrySchema, '/api/v1/audit', { query, limit }), {
        ...options,
        columns: {
          time: (entry) => cellTime(entry.at),
          who: (entry) => entry.personName ?? entry.person ?? 'the hub',
          from: (entry) => entry.address ?? '',
          what: (entry) => entry.action,
          'to whom or what': (entry) => entry.subjectName ?? entry.subject,
          detail: inWords,
        },
        empty: 'Nothing was changed, or nothing fits.',
      })
    })
}

function inWords(entry: AuditEntry): string {
  const change = changeIn(entry)
  const said = (value: unknown) => (typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing'))
  if (change !== undefined) return `${said(change.before)} → ${said(change.after)}`
  return Object.entries(entry.detail)
    .map(([name, value]) => `${name}: ${said(value)}`)
    .join(', ')
}

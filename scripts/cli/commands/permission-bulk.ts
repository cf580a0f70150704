import { bulkDoneSchema } from '@fernlab/shared/contracts/permissions'
import type { Command } from 'commander'
import { type Context, type HubOptions, openHub } from '../context.ts'
import { changeOf, scoped, type Where } from '../permission-change.ts'
import { subjectText, termsHelp, termsText } from '../permission-words.ts'
import { misspelt } from '../problem.ts'
import { spokenTime } from '../shown-time.ts'
import { printList } from '../table.ts'

interface BulkOptions extends HubOptions, Where {
  readonly term: readonly string[]
  readonly to?: string
  readonly remove?: boolean
  readonly preview?: boolean
}

/** `permission bulk`: one change to many permissions. */
export function addBulk(permission: Command, context: Context): void {
  const { terminal } = context
  const collect = (term: string, terms: readonly string[]) => [...terms, term]
  scoped(
    permission
      .command('bulk <permissions...>')
      .description('change or take away many permissions at once, all or none'),
  )
    .option('-s, --term <name=value>', `may be repeated; ${termsHelp}`, collect, [])
    .option('--to <subject>', 'for somebody else: everyone, role:ROLE, group:GROUP, person:MAIL')
    .option('--remove', 'take them all away')
    .option('--preview', 'only say what would be')
    .addHelpText(
      'after',
      `
Examples:
  fernlab permission bulk 01j… 01k… --until 2027-07-01 --preview
  fernlab permission bulk 01j… 01k… --term mostOpen=3 --term mayBook=yes`,
    )
    .action(async (ids: string[], options: BulkOptions) => {
      const { remove = false, preview = false, term } = options
      const change = changeOf(term, options)
      if ((Object.keys(change).length === 0) !== remove)
        throw misspelt(
          'change',
          'say what to change, such as --term mostOpen=3 or --until TIME, or give --remove alone',
        )
      const body = { ids, preview, ...(remove ? { remove } : { change }) }
      const client = await openHub(context, options)
      const { items } = await client.call(bulkDoneSchema, '/api/v1/permissions/bulk', { method: 'POST', body })
      printList(terminal, items, {
        ...options,
        columns: {
          permission: ({ before }) => before.id,
          for: ({ before, after }) => subjectText(after ?? before),
          lab: ({ before, after }) => (after ?? before).lab ?? 'every lab',
          before: ({ before }) =>
            `${termsText(before.gives)}, until ${before.until ? spokenTime(before.until) : 'for ever'}`,
          after: ({ after }) =>
            after === null
              ? 'taken away'
              : `${termsText(after.gives)}, until ${after.until ? spokenTime(after.until) : 'for ever'}`,
        },
        empty: 'There was nothing to change.',
      })
      if (preview && options.json !== true) terminal.err('Nothing was changed; without --preview it is.')
    })
}

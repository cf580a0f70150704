import { type UsageRules, usagePreviewSchema, usageRulesSchema } from '@fernlab/shared/contracts/usage'
import type { Command } from 'commander'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import { misspelt } from '../problem.ts'

interface Options extends HubOptions {
  readonly addresses?: string
  readonly names?: string
  readonly preview?: boolean
}

/** `settings usage`: how long uses keep addresses and names. */
export function addUsageSettings(settings: Command, { terminal, ...rest }: Context): void {
  withHub(settings.command('usage').description('show how long uses keep addresses and names, or change what you name'))
    .option('--addresses <days>', 'days that addresses are kept: 0 keeps none, "forever" all')
    .option('--names <days>', 'days after which a use gets a pseudonym, 30 at least, or "forever"')
    .option('--preview', 'only say what that would take away now')
    .action(async (options: Options) => {
      const given = {
        ...(options.addresses === undefined ? {} : { addressDays: daysIn('addresses', options.addresses) }),
        ...(options.names === undefined ? {} : { nameDays: daysIn('names', options.names) }),
      }
      const client = await openHub({ terminal, ...rest }, options)
      const path = '/api/v1/settings/usage'
      const now = await client.call(usageRulesSchema, path)
      const wanted: UsageRules = { ...now, ...given }
      if (options.preview === true) {
        const preview = await client.call(usagePreviewSchema, `${path}/preview`, { method: 'POST', body: wanted })
        const { addresses, uses, people } = preview
        const words = `would forget ${addresses} addresses, and give ${uses} uses of ${people} people a pseudonym for good`
        return terminal.out(options.json ? JSON.stringify(preview, null, 2) : words)
      }
      const changes = Object.keys(given).length > 0
      const rules = changes ? await client.call(usageRulesSchema, path, { method: 'PUT', body: wanted }) : now
      terminal.out(options.json ? JSON.stringify(rules, null, 2) : inWords(rules))
    })
}

function daysIn(option: string, text: string): number | null {
  if (text === 'forever') return null
  if (/^\d{1,5}$/.test(text)) return Number(text)
  throw misspelt(option, `"${text}" is neither a number of days nor "forever"`)
}

const inWords = ({ addressDays, nameDays }: UsageRules) =>
  [
    `addresses: ${addressDays === null ? 'kept for good' : addressDays === 0 ? 'not kept' : `kept for ${addressDays} days`}`,
    `names: ${nameDays === null ? 'kept for good' : `a pseudonym after ${nameDays} days`}`,
  ].join('\n')

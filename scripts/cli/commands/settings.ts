import { type SignInRules, selfRegisteredRoles, signInRulesSchema } from '@fernlab/shared/contracts/sign-in'
import { type Command, Option } from 'commander'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'

interface SignInOptions extends HubOptions {
  readonly registration?: 'open' | 'closed'
  readonly domains?: string
  readonly role?: SignInRules['registration']['role']
}

/** `settings sign-in`: what holds for the whole site. */
export function addSettings(program: Command, context: Context): void {
  const { terminal } = context
  const settings = program.command('settings').description('what holds for the whole site; for admins')

  withHub(settings.command('sign-in').description('show who may make an account, or change what you name'))
    .addOption(
      new Option('--registration <state>', 'whether people may make accounts of their own').choices(['open', 'closed']),
    )
    .option('--domains <domains>', 'only with an address at one of these, commas between; "any" takes every address')
    .addOption(new Option('-r, --role <role>', 'what they become').choices([...selfRegisteredRoles]))
    .action(async (options: SignInOptions) => {
      const client = await openHub(context, options)
      const path = '/api/v1/settings/sign-in'
      const now = await client.call(signInRulesSchema, path)
      const changed = withChanges(now, options)
      const rules =
        changed === undefined ? now : await client.call(signInRulesSchema, path, { method: 'PUT', body: changed })
      terminal.out(options.json ? JSON.stringify(rules, null, 2) : inWords(rules))
    })
}

function withChanges(now: SignInRules, { registration, domains, role }: SignInOptions): SignInRules | undefined {
  if (registration === undefined && domains === undefined && role === undefined) return undefined
  return {
    ...now,
    registration: {
      open: registration === undefined ? now.registration.open : registration === 'open',
      domains: domains === undefined ? now.registration.domains : domains === 'any' ? [] : domains.split(','),
      role: role ?? now.registration.role,
    },
  }
}

function inWords({ registration: { open, domains, role } }: SignInRules): string {
  if (!open) return 'registration: closed'
  return `registration: open, with ${domains.length === 0 ? 'any address' : `an address at ${domains.join(' or ')}`}, as ${role}`
}

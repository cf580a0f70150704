import { selfRegisteredRoles } from '@fernlab/shared/contracts/people'
import { labServerRulesSchema } from '@fernlab/shared/contracts/sessions'
import { type SignInRules, signInRulesSchema } from '@fernlab/shared/contracts/sign-in'
import { type Command, Option } from 'commander'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import { addUsageSettings } from './usage-settings.ts'

interface SignInOptions extends HubOptions {
  readonly registration?: 'open' | 'closed'
  readonly domains?: string
  readonly role?: SignInRules['registration']['role']
  readonly staffSecondFactor?: 'on' | 'off'
}

/** `settings sign-in` and `settings usage`: what holds for the whole site. */
export function addSettings(program: Command, context: Context): void {
  const { terminal } = context
  const settings = program.command('settings').description('what holds for the whole site; for admins')
  addUsageSettings(settings, context)

  withHub(settings.command('sign-in').description('show who may make an account, or change what you name'))
    .addOption(
      new Option('--registration <state>', 'whether people may make accounts of their own').choices(['open', 'closed']),
    )
    .option('--domains <domains>', 'only with an address at one of these, commas between; "any" takes every address')
    .addOption(new Option('-r, --role <role>', 'what they become').choices([...selfRegisteredRoles]))
    .addOption(
      new Option('--staff-second-factor <state>', 'whether staff and lab builders must have a second factor').choices([
        'on',
        'off',
      ]),
    )
    .action(async (options: SignInOptions) => {
      const client = await openHub(context, options)
      const path = '/api/v1/settings/sign-in'
      const now = await client.call(signInRulesSchema, path)
      const changed = withChanges(now, options)
      const rules =
        changed === undefined ? now : await client.call(signInRulesSchema, path, { method: 'PUT', body: changed })
      terminal.out(options.json ? JSON.stringify(rules, null, 2) : inWords(rules))
    })

  withHub(
    settings.command('lab-servers').description('show what labs with a server of their own are told, or change it'),
  )
    .addOption(
      new Option('--names <state>', "whether they get people's names; without, pseudonyms").choices(['on', 'off']),
    )
    .action(async (options: HubOptions & { readonly names?: 'on' | 'off' }) => {
      const client = await openHub(context, options)
      const path = '/api/v1/settings/lab-servers'
      const body = { names: options.names === 'on' }
      const rules = await (options.names === undefined
        ? client.call(labServerRulesSchema, path)
        : client.call(labServerRulesSchema, path, { method: 'PUT', body }))
      terminal.out(
        options.json ? JSON.stringify(rules, null, 2) : `labs' own servers get ${rules.names ? 'names' : 'pseudonyms'}`,
      )
    })
}

function withChanges(now: SignInRules, options: SignInOptions): SignInRules | undefined {
  const { registration, domains, role, staffSecondFactor } = options
  if ([registration, domains, role, staffSecondFactor].every((option) => option === undefined)) return undefined
  return {
    staffSecondFactor: staffSecondFactor === undefined ? now.staffSecondFactor : staffSecondFactor === 'on',
    registration: {
      open: registration === undefined ? now.registration.open : registration === 'open',
      domains: domains === undefined ? now.registration.domains : domains === 'any' ? [] : domains.split(','),
      role: role ?? now.registration.role,
    },
  }
}

function inWords({ registration: { open, domains, role }, staffSecondFactor }: SignInRules): string {
  const from = domains.length === 0 ? 'any address' : `an address at ${domains.join(' or ')}`
  return [
    `registration: ${open ? `open, with ${from}, as ${role}` : 'closed'}`,
    `second factor of staff: ${staffSecondFactor ? 'needed' : 'as they like'}`,
  ].join('\n')
}

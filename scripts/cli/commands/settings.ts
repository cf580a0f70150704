import {
  type Retention,
  retentionSchema,
  type SchedulingRules,
  schedulingRulesSchema,
  storageSchema,
} from '@fernlab/shared/contracts/api'
import { selfRegisteredRoles } from '@fernlab/shared/contracts/people'
import { labServerRulesSchema } from '@fernlab/shared/contracts/sessions'
import { type SignInRules, signInRulesSchema } from '@fernlab/shared/contracts/sign-in'
import { type Command, Option } from 'commander'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import { wholeNumber } from '../whole-number.ts'
import { addUsageSettings } from './usage-settings.ts'

interface SignInOptions extends HubOptions {
  readonly registration?: 'open' | 'closed'
  readonly domains?: string
  readonly role?: SignInRules['registration']['role']
  readonly staffSecondFactor?: 'on' | 'off'
}

interface SchedulingOptions extends HubOptions {
  readonly stepMinutes?: string
  readonly windowHours?: string
  readonly graceMinutes?: string
  readonly warningMinutes?: string
}

interface RetentionOptions extends HubOptions {
  readonly dataDays?: string
  readonly runDays?: string
}

/** `settings sign-in`, `usage`, `scheduling`, `retention`: what holds for the whole site. */
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

  withHub(settings.command('scheduling').description('show who is next by which rules, or change what you name'))
    .option('--step-minutes <minutes>', 'so much waiting is worth one of priority')
    .option('--window-hours <hours>', 'bench time of the last so many hours decides among equals')
    .option('--grace-minutes <minutes>', 'a booking to which nobody has come so long after its start is given back')
    .option('--warning-minutes <minutes>', 'so long before its end a session is told that a booking needs its bench')
    .action(async ({ stepMinutes, windowHours, graceMinutes, warningMinutes, ...options }: SchedulingOptions) => {
      const client = await openHub(context, options)
      const path = '/api/v1/settings/scheduling'
      const change: Partial<SchedulingRules> = {
        ...(stepMinutes === undefined ? {} : { stepMinutes: wholeNumber('--step-minutes', stepMinutes) }),
        ...(windowHours === undefined ? {} : { windowHours: wholeNumber('--window-hours', windowHours) }),
        ...(graceMinutes === undefined ? {} : { graceMinutes: wholeNumber('--grace-minutes', graceMinutes) }),
        ...(warningMinutes === undefined ? {} : { warningMinutes: wholeNumber('--warning-minutes', warningMinutes) }),
      }
      const now = await client.call(schedulingRulesSchema, path)
      const rules =
        Object.keys(change).length === 0
          ? now
          : await client.call(schedulingRulesSchema, path, { method: 'PUT', body: { ...now, ...change } })
      const lines = [
        `step: ${rules.stepMinutes} min of waiting are worth one of priority`,
        `window: bench time of the last ${rules.windowHours} h`,
        `grace: ${rules.graceMinutes} min, then a booking to which nobody came is given back`,
        `warning: ${rules.warningMinutes} min before a session has to make room for a booking`,
      ]
      terminal.out(options.json ? JSON.stringify(rules, null, 2) : lines.join('\n'))
    })

  withHub(settings.command('retention').description('show how long results are kept, or change what you name'))
    .option('--data-days <days>', 'samples; "none" keeps them for good')
    .option('--run-days <days>', 'whole runs; "none" keeps them for good')
    .action(async ({ dataDays, runDays, ...options }: RetentionOptions) => {
      const client = await openHub(context, options)
      const change: Partial<Retention> = {
        ...(dataDays === undefined ? {} : { dataDays: daysOf('--data-days', dataDays) }),
        ...(runDays === undefined ? {} : { runDays: daysOf('--run-days', runDays) }),
      }
      const now = (await client.call(storageSchema, '/api/v1/storage')).retention
      const rules =
        Object.keys(change).length === 0
          ? now
          : await client.call(retentionSchema, '/api/v1/settings/retention', {
              method: 'PUT',
              body: { ...now, ...change },
            })
      const kept = (days: number | null) => (days === null ? 'kept for good' : `kept for ${days} days`)
      const lines = [`samples: ${kept(rules.dataDays)}`, `runs: ${kept(rules.runDays)}`]
      terminal.out(options.json ? JSON.stringify(rules, null, 2) : lines.join('\n'))
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

const daysOf = (option: string, text: string): number | null => (text === 'none' ? null : wholeNumber(option, text))

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

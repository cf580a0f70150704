import { yamlValue } from '@fernlab/shared/contracts/yaml-edit'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import { didYouMean } from '@fernlab/shared/primitives/nearest'
import type { ServiceContract } from '@fernlab/shared/rpc/contract/service-contract'
import { withTypedArrays } from '@fernlab/shared/rpc/contract/typed-lists'
import type { ValueSpec } from '@fernlab/shared/rpc/contract/value-spec'
import type { Command } from 'commander'
import type { Context, HubOptions } from '../context.ts'
import { endedTogether, endHeld, heldText, holdsOf, requireHolder } from '../held-services.ts'
import { inUnit } from '../in-unit.ts'
import { type LabOptions, openLab, withLab } from '../lab-client.ts'
import { misspelt, mistake } from '../problem.ts'
import { controlsOfService, type ReadValues, readingsOf, readLines, resultText, wantsLock } from '../service-text.ts'
import { printList } from '../table.ts'

interface CallOptions extends LabOptions {
  readonly read?: readonly string[]
  readonly set?: readonly string[]
  readonly follow?: readonly string[]
  readonly rate?: string
  readonly lock?: string | true
  readonly timeout: string
}

interface UnlockOptions extends LabOptions {
  readonly reason: string
  readonly holder?: string
}

/** `call`, `lock` and `unlock`: services, straight at their nodes. */
export function addCall(program: Command, context: Context): void {
  const { terminal, signal } = context
  withLab(
    program
      .command('call <service> [action] [name=value...]')
      .description('call an action of a service, set and read its signals; without either, what it can do'),
  )
    .option('--set <signal=value...>', 'signals that are set first, in this order: in their unit, or as "1500 mV"')
    .option('--read <signals...>', 'signals that are read at the end')
    .option('--follow <signals...>', 'signals that are read again and again, until Ctrl-C')
    .option('--rate <hz>', 'how often, with --follow')
    .option('--lock [reason]', 'take it for as long as this lasts: parts of benches want that to be set and called')
    .option('--timeout <seconds>', 'how long an action may take', '30')
    .addHelpText(
      'after',
      `
  fernlab call diode-1.psu
  fernlab call diode-1.psu --lock --set voltage=1.5 output=true --read measured_current
  fernlab call fit slope 'x=[1, 2, 3]' 'y=[2, 4, 6]'
  fernlab call diode-1.psu --node ws://bench-pi:8090 --token-file ada.token`,
    )
    .action(async (name: string, action: string | undefined, pairs: string[], options: CallOptions) => {
      const timeoutMs = positive(options.timeout, '--timeout') * 1000
      const rateHz = options.rate === undefined ? undefined : positive(options.rate, '--rate')
      const sets = (options.set ?? []).map((pair) => pairOf(pair, '--set'))
      const given = argumentsOf(pairs)
      await using client = await openLab(context, options)
      const service = await client.service(name).catch(withoutService)
      const { contract } = service
      const wanted = [...sets.map(([signal]) => signal), ...(options.read ?? []), ...(options.follow ?? [])]
      for (const one of wanted) requireKnown(name, 'signal', one, contract.signals)
      const isShown = action === undefined && wanted.length === 0
      if (isShown) return show(context, options, name, contract)
      if (action !== undefined) requireKnown(name, 'action', action, contract.actions)
      const takes = contract.actions[action ?? '']?.arguments ?? {}
      const args = withTypedArrays(takes, inUnits(given, takes))
      const settings = sets.map(([signal, value]): [string, unknown] => {
        const { dtype = '', unit } = contract.signals[signal] ?? {}
        return [signal, inUnit(value, { type: dtype, unit }, signal)]
      })

      const reason = typeof options.lock === 'string' ? options.lock : 'fernlab call'
      await using _lock = options.lock === undefined ? undefined : await client.lock([name], { reason, signal })
      const done: string[] = []
      for (const [one, value] of settings) {
        await service.set(one, value, { signal, timeoutMs }).catch(withoutLock(options)).catch(afterSets(done))
        done.push(one)
      }
      if (action !== undefined) {
        const does = service.do[action] as unknown as (given: object, how: object) => unknown
        const result = does(args, { signal, timeoutMs })
        if (contract.actions[action]?.items === undefined)
          print(context, options, await (result as Promise<unknown>).catch(withoutLock(options)))
        else
          for await (const item of result as AsyncIterable<unknown>) print(context, { ...options, quiet: true }, item)
      }
      if (options.read !== undefined) {
        const values = (await service.read(options.read, { signal })) as ReadValues
        if (options.json) terminal.out(JSON.stringify(values, null, 2))
        else for (const line of readLines(values, contract)) terminal.out(line)
      }
      if (options.follow === undefined) return
      const rate = rateHz === undefined ? {} : { rateHz }
      for await (const item of service.follow(options.follow, { signal, ...rate })) {
        for (const readings of readingsOf(item)) {
          terminal.out(options.json ? JSON.stringify(readings) : readLines(readings, contract).join('  '))
        }
      }
    })

  withLab(
    program
      .command('lock <services...>')
      .description('lock services, and with a part of a bench the bench, until Ctrl-C; all of them or none'),
  )
    .option('--reason <text>', 'what for: others are told', '')
    .action(async (names: string[], { reason, ...options }: LabOptions & { readonly reason: string }) => {
      await using client = await openLab(context, options)
      const lock = await client.lock(names, { reason, signal }).catch(withoutService)
      if (options.json) terminal.out(JSON.stringify({ services: lock.services }))
      else terminal.out(`Locked: ${lock.services.join(', ')}`)
      if (!options.quiet) terminal.err('Until Ctrl-C; benches then go to their safe state.')
      await new Promise<void>((resolve) => {
        const stop = context.onInterrupt(over)
        function over() {
          stop()
          resolve()
        }
        lock.lost.addEventListener('abort', over, { once: true })
        if (lock.lost.aborted) over()
      })
      await lock.release()
      // It was not had for as long as was asked for.
      if (lock.lost.aborted) throw lock.lost.reason
      terminal.err('Unlocked.')
    })

  withLab(
    program
      .command('unlock <services...>')
      .description('end locks of yours, of whatever program; with the permission, those of others'),
  )
    .option('--reason <text>', "why another's is ended: it is in the audit log", '')
    .option('--holder <person>', 'whose hold is meant, by name or id: where it is not theirs, nothing is ended')
    .action(async (names: string[], { reason, holder, ...options }: UnlockOptions) => {
      await using client = await openLab(context, options)
      const held = await holdsOf(client, names, signal).catch(withoutService)
      if (holder !== undefined) for (const one of held) requireHolder(one, holder)
      const ended: string[] = []
      const free: string[] = []
      try {
        for (const together of endedTogether(held)) {
          const left = await endHeld(client, together, { reason, signal }).catch(withoutReason(reason))
          ended.push(...together.filter(({ name }) => !left.includes(name)).map(({ name }) => name))
          free.push(...left)
        }
      } finally {
        // Also when another of them was refused.
        if (options.json && ended.length > 0) terminal.out(JSON.stringify({ services: ended }))
        else if (ended.length > 0) terminal.out(`Unlocked: ${ended.join(', ')}`)
      }
      if (options.json && ended.length === 0) terminal.out(JSON.stringify({ services: [] }))
      if (options.quiet) return
      for (const name of free) terminal.err(`${name} was given back meanwhile.`)
      for (const { name, by } of held)
        if (by.mine !== true && ended.includes(name)) terminal.err(`${name}: ${heldText(by, ' had it')}.`)
    })
}

function show({ terminal }: Context, options: HubOptions, name: string, contract: ServiceContract): void {
  if (options.json) {
    terminal.out(JSON.stringify(contract, null, 2))
    return
  }
  terminal.out(
    `${name} is a ${contract.kind} ${contract.version}${contract.title === undefined ? '' : `: ${contract.title}`}`,
  )
  printList(terminal, controlsOfService(contract), {
    columns: {
      name: (item) => item.name,
      what: (item) => item.what,
      takes: (item) => item.takes,
      gives: (item) => item.gives,
    },
    empty: 'It can do nothing.',
  })
}

/** Of what is refused since nobody has taken the bench, and of what takes longer than it may. */
const withoutLock =
  ({ lock, timeout }: CallOptions) =>
  (thrown: unknown): never => {
    const error = asLabError(thrown)
    if (error.code === 'deadline-exceeded')
      throw mistake(error.code, error.message, `--timeout gives it longer than ${timeout} s.`)
    if (lock !== undefined || !wantsLock(error)) throw thrown
    throw mistake(error.code, error.message, 'With --lock it is yours for as long as the call lasts.')
  }

/** Of what is refused when others were set already. */
const afterSets =
  (done: readonly string[]) =>
  (thrown: unknown): never => {
    if (done.length === 0) throw thrown
    const { code, kind, retry, issues, message } = asLabError(thrown)
    const said = `${message}\n  Set before that: ${done.join(', ')}.`
    throw new LabError({ code, kind, retry, issues, message: said, cause: thrown })
  }

/** Of a service that is not there. */
const nextWithout =
  '"fernlab directory" lists those that there are. One that is stopped or can not be used is in none: "fernlab daemon ps", on its node.'
const withoutService = (thrown: unknown): never => {
  const { code, message } = asLabError(thrown)
  if (code !== 'service-unknown') throw thrown
  throw mistake(code, message, nextWithout)
}

/** Of what is not one's own to unlock, and is no mistake of the hub or node. */
const withoutReason =
  (reason: string) =>
  (thrown: unknown): never => {
    const { code, message } = asLabError(thrown)
    if (reason !== '' || !['not-found', 'service-locked'].includes(code)) throw thrown
    throw mistake(code, message, 'What another has locked ends with --reason, for whoever may: it says why.')
  }

function print({ terminal }: Context, { json, quiet }: HubOptions, result: unknown): void {
  if (json) terminal.out(resultText(result))
  else if (result === null || result === undefined) {
    if (!quiet) terminal.err('Done.')
  } else terminal.out(resultText(result))
}

function requireKnown(service: string, what: string, name: string, known: object): void {
  if (Object.hasOwn(known, name)) return
  const names = Object.keys(known)
  const next = names.length === 0 ? `It has no ${what}.` : `It has: ${names.join(', ')}.`
  throw mistake(`${what}-unknown`, `${service} has no ${what} ${name}${didYouMean(name, names)}`, next)
}

const inUnits = (given: Readonly<Record<string, unknown>>, takes: Readonly<Record<string, ValueSpec>>) =>
  Object.fromEntries(
    Object.entries(given).map(([name, value]) => [
      name,
      Object.hasOwn(takes, name) ? inUnit(value, takes[name] as ValueSpec, name) : value,
    ]),
  )

function argumentsOf(pairs: readonly string[]): Readonly<Record<string, unknown>> {
  const given = pairs.map((pair) => pairOf(pair, 'an argument'))
  const twice = given.find(([name], at) => given.findIndex(([other]) => other === name) < at)
  if (twice !== undefined) throw misspelt('argument-twice', `the argument ${twice[0]} is given twice`)
  return Object.fromEntries(given)
}

function pairOf(pair: string, where: string): [string, unknown] {
  const at = pair.indexOf('=')
  if (at <= 0) throw misspelt('value-missing', `${where} is name=value, not "${pair}"`)
  return [pair.slice(0, at), yamlValue(pair.slice(at + 1))]
}

function positive(text: string, option: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value
  throw misspelt('option-invalid', `${option} must be a number above 0, not "${text}"`)
}

import { recoveryCodesSchema, secondFactorSchema } from '@fernlab/shared/contracts/sign-in'
import type { Command } from 'commander'
import { passwordFor } from '../../asked.ts'
import { type Context, type HubOptions, openHub, withHub } from '../../context.ts'
import { secondFactorPath as path, recoveryLines, setUpSecondFactor } from '../../second-factor.ts'

/** `account second-factor show`, `on`, `off`, `recovery-codes`. */
export function addSecondFactor(account: Command, context: Context): void {
  const { terminal } = context
  const factor = account
    .command('second-factor')
    .description('a code of an app on your phone, besides the password')
    .addHelpText(
      'after',
      `
Examples:
  fernlab account second-factor on
  fernlab account second-factor recovery-codes > codes.txt`,
    )

  withHub(factor.command('show').description('whether it is on, and how many recovery codes are left')).action(
    async (options: HubOptions) => {
      const state = await (await openHub(context, options)).call(secondFactorSchema, path)
      if (options.json) return terminal.out(JSON.stringify(state, null, 2))
      terminal.out(state.on ? `on, ${state.recoveryCodes} recovery codes left` : 'off')
      if (!state.on && state.required)
        terminal.err('This site wants it of you. Turn it on: fernlab account second-factor on')
    },
  )

  withHub(factor.command('on').description('set up an authenticator app; shows its secret and asks for a code')).action(
    async (options: HubOptions) => {
      const client = await openHub(context, options)
      const verb = 'second-factor on'
      const password = await passwordFor(terminal, verb)
      const json = options.json === true
      const recoveryCodes = await setUpSecondFactor(terminal, client, { verb, password, json })
      if (json) return terminal.out(JSON.stringify({ recoveryCodes }))
      terminal.err('The second factor is on.')
      printCodes(recoveryCodes)
    },
  )

  withHub(factor.command('off').description('let the password alone sign you in again')).action(
    async (options: HubOptions) => {
      const client = await openHub(context, options)
      const password = await passwordFor(terminal, 'second-factor off')
      await client.fetch(`${path}/remove`, { method: 'POST', body: { password } })
      terminal.out(options.json ? JSON.stringify({ on: false }) : 'the second factor is off')
    },
  )

  withHub(factor.command('recovery-codes').description('make other recovery codes; all earlier ones end')).action(
    async (options: HubOptions) => {
      const client = await openHub(context, options)
      const password = await passwordFor(terminal, 'second-factor recovery-codes')
      const codes = await client.call(recoveryCodesSchema, `${path}/recovery-codes`, {
        method: 'POST',
        body: { password },
      })
      if (options.json) return terminal.out(JSON.stringify(codes))
      printCodes(codes.recoveryCodes)
    },
  )

  /** The codes alone go to standard output, so that they can be kept in a file. */
  function printCodes(codes: readonly string[]): void {
    const [words = '', ...lines] = recoveryLines(codes)
    terminal.err(words)
    for (const line of lines) terminal.out(line)
  }
}

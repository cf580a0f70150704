import { begunSecondFactorSchema, recoveryCodesSchema } from '@fernlab/shared/contracts/sign-in'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import { answerTo } from './asked.ts'
import type { HubClient } from './hub-client.ts'
import { qrLines } from './qr-lines.ts'
import type { Terminal } from './terminal.ts'

export const secondFactorPath = '/api/v1/me/second-factor'

/** How often a code may be mistyped before all begins anew. */
const TRIES = 3

/**
 * Sets up an authenticator app: shows its secret, asks for a first code, and returns the recovery codes. The secret is
 * part of the question: where it is text, standard output is left to what comes of it.
 */
export async function setUpSecondFactor(
  terminal: Terminal,
  client: HubClient,
  { verb, password, json = false }: { readonly verb: string; readonly password: string; readonly json?: boolean },
): Promise<readonly string[]> {
  const begun = await client.call(begunSecondFactorSchema, secondFactorPath, { method: 'POST', body: { password } })
  if (json) terminal.out(JSON.stringify(begun))
  else for (const line of await secretLines(terminal, begun)) terminal.err(line)
  for (let tries = 1; ; tries++) {
    const code = await answerTo(terminal, { verb, what: 'a code of the app', shown: 'Code that the app shows: ' })
    try {
      const path = `${secondFactorPath}/confirm`
      return (await client.call(recoveryCodesSchema, path, { method: 'POST', body: { code } })).recoveryCodes
    } catch (error) {
      if (asLabError(error).code !== 'code-wrong' || !terminal.asks || tries === TRIES) throw error
      terminal.err(asLabError(error).message)
    }
  }
}

/** The recovery codes and what they are for. */
export function recoveryLines(codes: readonly string[]): string[] {
  return [
    'Each of these signs you in once instead of a code of the app. Keep them now, they are not shown again:',
    ...codes,
  ]
}

async function secretLines(terminal: Terminal, { secret, uri }: { secret: string; uri: string }): Promise<string[]> {
  const picture = terminal.interactive ? await qrLines(uri, terminal.columns) : []
  const how =
    picture.length === 0 ? 'Type this into your authenticator app:' : 'Scan it with your authenticator app, or type:'
  return [...picture, how, `  ${secret.replaceAll(/(.{4})(?=.)/g, '$1 ')}`]
}

import { type ParseArgsConfig, parseArgs } from 'node:util'
import { LabError } from '../primitives/lab-error.ts'

/** `parseArgs` of Node, with an error of the person who typed where it throws; `usage` says what may be typed. */
export function readArguments<Config extends ParseArgsConfig>(
  config: Config,
  usage: string,
): ReturnType<typeof parseArgs<Config>> {
  try {
    return parseArgs(config)
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
    if (!code.startsWith('ERR_PARSE_ARGS_')) throw cause
    const [what = ''] = (cause as Error).message.split(/\.?\n|\. /)
    throw new LabError({ code: 'bad-argument', kind: 'caller', message: `${what}; usage: ${usage}`, cause })
  }
}

import { LabError } from '@fernlab/shared/primitives/lab-error'

/** Of what the node itself was started with; its secrets are not among it. */
const inherited = ['PATH', 'HOME', 'USER', 'LANG', 'LC_ALL', 'LC_CTYPE', 'TZ', 'VIRTUAL_ENV']

/** The environment of a program that a driver starts. */
export function inheritedEnv(): Record<string, string> {
  return Object.fromEntries(
    inherited.flatMap((name) => {
      const value = process.env[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

/** Ends a program that was started `detached`, and all that it has started, at once. */
export function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return
    throw new LabError({ code: 'program-not-ended', kind: 'bug', message: `process group ${pid}`, cause: error })
  }
}

import { type Issue, LabError } from '@fernlab/shared/primitives/lab-error'

/** The refusal of an instrument's `config` in node.yaml; its message names the first issue. */
export function configWrong(instrument: string, issues: readonly Issue[]): LabError {
  const first = issues[0]
  return new LabError({
    code: 'driver-config-wrong',
    kind: 'configuration',
    message: `${instrument}: the configuration is wrong: ${first?.path ?? ''}: ${first?.message ?? ''}`,
    issues,
  })
}

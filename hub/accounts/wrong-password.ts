import { LabError } from '@fernlab/shared/primitives/lab-error'

/** What a person reads whose password does not open what they asked for. */
export function wrongPassword(): LabError {
  const message = 'the password is wrong'
  return new LabError({
    code: 'wrong-credentials',
    kind: 'caller',
    message,
    issues: [{ path: 'password', message }],
    studentMessage: 'The password is wrong.',
  })
}

import type { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Letter } from '../mail/mail.ts'
import { mostRefusals } from './fire.ts'
import type { RecurringTable } from './tables.ts'

/** What the owner reads whose recurring run was refused so often that it was paused. */
export function pausedLetter(
  { id, name, lab, protocol }: RecurringTable,
  about: {
    readonly person: { readonly name: string; readonly email: string }
    readonly error: LabError
    readonly site: string
    readonly publicUrl: string
  },
): Letter {
  const { person, error, site, publicUrl } = about
  return {
    to: person.email,
    subject: `${site}: “${name}” was paused`,
    text: `Hello ${person.name},

your recurring run “${name}” (${protocol} of ${lab}) was refused ${mostRefusals} times in a row, and is paused. The last time because:

${error.studentMessage}

When that is mended, resume it here:

${publicUrl}/recurring/${id}
`,
  }
}
